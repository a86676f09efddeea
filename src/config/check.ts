/**
 * The Collector's checks on a merged and expanded tree, and what of it is to run (specification:
 * configuration 0.3, 0.4 and 1.3 to 1.5). The problems are found all in one go.
 */
import {
  type ComponentKind,
  type Declarations,
  type Declared,
  type RegisteredComponent,
  type Registry,
  declareComponents,
  sectionOf,
} from './declare.ts';
import { decode, didYouMean } from './decode.ts';
import { knownType, knownTypes } from './known.ts';
import { type Problem, error, info, problem, warning } from './message.ts';
import { type References, membersOf, readReferences } from './references.ts';
import { type Service, serviceSchema } from './service.ts';
import { renamedTypes, suggest } from './suggest.ts';
import { type MappingNode, type Position, keyPosition, nearest, scalar, wholeSource } from './tree.ts';

/** A configuration that has passed every check. Holds only what runs: what nothing names is not in it. */
export interface Config {
  readonly receivers: readonly ConfiguredComponent[];
  readonly processors: readonly ConfiguredComponent[];
  readonly exporters: readonly ConfiguredComponent[];
  readonly connectors: readonly ConfiguredComponent[];
  /** In the order of `service.extensions`. */
  readonly extensions: readonly ConfiguredComponent[];
  readonly stores: readonly ConfiguredComponent[];
  /** Of traces. */
  readonly pipelines: readonly PipelineConfig[];
  /** Of other signals: their receivers answer success for them and count what they drop. */
  readonly ignoredPipelines: readonly IgnoredPipeline[];
  readonly telemetry: Service['telemetry'];
  /** What is hidden before it is written to disk. */
  readonly redaction: Service['redaction'];
}

export interface ConfiguredComponent {
  /** `otlp` or `otlp/backup`. */
  readonly id: string;
  /** As registered, whatever alias the user wrote. */
  readonly type: string;
  /** What the component's schema made of it. */
  readonly config: unknown;
  readonly position: Position;
}

/** Component ids by role. A connector stands among the exporters of one pipeline and the receivers of another. */
export interface PipelineConfig {
  /** `traces` or `traces/2`. */
  readonly id: string;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

export interface IgnoredPipeline {
  readonly id: string;
  /** `metrics`, `logs` or `profiles`. */
  readonly signal: string;
  readonly receivers: readonly string[];
}

export interface Checked {
  /** Undefined when there are errors. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
}

export async function checkConfig(root: MappingNode, registry: Registry): Promise<Checked> {
  if (root.entries.size === 0) return refused(error(wholeSource(root.position.source), '', 'empty configuration file'));
  const { declared, problems: declarationProblems } = await declareComponents(root, registry);
  const noService = scalar(root.position, null);
  const service = decode(root.entries.get('service')?.value ?? noService, serviceSchema, {
    path: ['service'],
    position: keyPosition(root, ['service']),
  });
  const references = service.value && readReferences(root, service.value, declared);
  const judged = judgeComponents(declared, references, registry);
  const problems = [
    ...topLevelProblems(root),
    ...declarationProblems,
    ...service.problems,
    ...sectionProblems(root, declared),
    ...judged.problems,
    ...(references?.problems ?? []),
  ];
  const stores = references ? namedStores(declared, references, judged.configs) : { named: [], problems: [] };
  problems.push(...stores.problems);
  if (references) problems.push(...unusedProblems(declared, references, stores.named));
  if (!service.value || !references || problems.some(({ severity }) => severity === 'error')) {
    return { config: undefined, problems };
  }
  const parts = { references, configs: judged.configs, stores: stores.named, service: service.value };
  return { config: toConfig(parts), problems };
}

function refused(problem: Problem): Checked {
  return { config: undefined, problems: [problem] };
}

function topLevelProblems(root: MappingNode): readonly Problem[] {
  const known: readonly string[] = [...Object.values(sectionOf), 'service'];
  return [...root.entries].flatMap(([name, { position }]) => {
    if (known.includes(name)) return [];
    const near = suggest(name, known);
    const hints = near.length > 0 ? didYouMean(near) : [`sections: ${known.join(', ')}`];
    return [error(position, name, 'unknown key', { hints, original: `'' has invalid keys: ${name}` })];
  });
}

/** Sections without which nothing can run, and ids that stand in two of them. */
function sectionProblems(root: MappingNode, declared: Declarations): readonly Problem[] {
  const missing = (['receiver', 'exporter'] as const).flatMap((kind) => {
    if (declaredOf(declared, kind).length > 0 || declaredOf(declared, 'connector').length > 0) return [];
    return [error(wholeSource(root.position.source), '', `no ${kind} configuration specified in config`)];
  });
  const ambiguous = declaredOf(declared, 'connector').flatMap(({ id, position }) => {
    const kind = (['exporter', 'receiver'] as const).find((kind) => declared.get(kind)?.has(id));
    if (!kind) return [];
    const text = `ambiguous ID: Found both "${id}" ${kind} and "${id}" connector`;
    const hints = [`change one of the ids, for example "${id}" connector to "${id}/connector"`];
    return [error(position, `connectors.${id}`, text, { hints })];
  });
  return [...missing, ...ambiguous];
}

function declaredOf(declared: Declarations, kind: ComponentKind): readonly Declared[] {
  return [...(declared.get(kind)?.values() ?? [])];
}

interface Judged {
  /** What the schemas made of the components, where that went well. */
  readonly configs: ReadonlyMap<Declared, unknown>;
  readonly problems: readonly Problem[];
}

/** Types and bodies of all components, but for those that only ignored pipelines name. */
function judgeComponents(declared: Declarations, references: References | undefined, registry: Registry): Judged {
  const configs = new Map<Declared, unknown>();
  const problems: Problem[] = [];
  const used: ReadonlySet<Declared> = references?.named ?? new Set();
  const exempt = new Set(references?.ignored.flatMap(membersOf).filter((component) => !used.has(component)));
  for (const component of [...declared.values()].flatMap((ofKind) => [...ofKind.values()])) {
    if (exempt.has(component)) continue;
    const { registered } = component;
    if (!registered) {
      problems.push(...typeProblems(component, { used: used.has(component), registry }));
      continue;
    }
    if (used.has(component)) problems.push(...aliasProblems(component, registered));
    if (component.malformed) continue;
    const decoded = decode(component.node, registered.configSchema, {
      path: [sectionOf[component.kind], component.key],
      position: component.position,
    });
    problems.push(...decoded.problems);
    if (decoded.value !== undefined) configs.set(component, decoded.value);
  }
  return { configs, problems };
}

/** What is to be said about a component whose type is not registered. */
function typeProblems(
  { kind, id, type, position }: Declared,
  { used, registry }: { readonly used: boolean; readonly registry: Registry },
): readonly Problem[] {
  const section = sectionOf[kind];
  const available = [...new Set([...(registry.get(kind)?.values() ?? [])].map((registered) => registered.type))].sort();
  const availableHint = available.length > 0 ? [`available ${section}: ${available.join(', ')}`] : [];
  const known = knownType(kind, type);
  if (known && !used)
    return [problem('debug', position, section, `${kind} "${id}" is not implemented in this version, and not used`)];
  if (known?.treatment === 'refused') {
    return [error(position, section, `type ${JSON.stringify(type)} ${known.reason}`, { hints: availableHint })];
  }
  if (known) return [];
  const renamed = renamedTypes.get(type);
  const nearest = suggest(type, available);
  const near = nearest.length > 0 ? nearest : suggest(type, knownTypes(kind));
  return [
    error(position, section, `unknown type ${JSON.stringify(type)}`, {
      hints: [...didYouMean(near.length > 0 || renamed === undefined ? near : [renamed]), ...availableHint],
      original: `'${section}' unknown type: ${JSON.stringify(type)} for id: ${JSON.stringify(id)}`,
    }),
  ];
}

function aliasProblems({ kind, id, type, position }: Declared, registered: RegisteredComponent): readonly Problem[] {
  if (type === registered.type) return [];
  const text = `${kind} "${id}" is read as type "${registered.type}"`;
  if (kind !== 'exporter' || type !== 'logging') return [info(position, sectionOf[kind], text)];
  const original = "'exporters' the logging exporter has been deprecated, use the debug exporter instead";
  return [warning(position, sectionOf[kind], text, { original })];
}

/** The stores that used components name in their member `store`. */
function namedStores(
  declared: Declarations,
  references: References,
  configs: ReadonlyMap<Declared, unknown>,
): { readonly named: readonly Declared[]; readonly problems: readonly Problem[] } {
  const stores = declared.get('store') ?? new Map<string, Declared>();
  const named = new Set<Declared>();
  const problems: Problem[] = [];
  for (const component of references.named) {
    const id = storeOf(configs.get(component));
    if (id === undefined) continue;
    const store = stores.get(id);
    if (store) named.add(store);
    else problems.push(missingStore(id, component, [...stores.keys()]));
  }
  return { named: [...stores.values()].filter((store) => named.has(store)), problems };
}

function storeOf(config: unknown): string | undefined {
  if (typeof config !== 'object' || config === null || !('store' in config)) return undefined;
  return typeof config.store === 'string' ? config.store : undefined;
}

function missingStore(id: string, { kind, key, node, position }: Declared, stores: readonly string[]): Problem {
  const written = nearest(node, ['store']);
  const near = suggest(id, stores);
  const others =
    stores.length > 0 ? [`configured stores: ${stores.join(', ')}`] : [`add a section "stores" with "${id}:" to it`];
  const text = `${JSON.stringify(id)} is not configured`;
  const place = written === node ? position : written.position;
  return error(place, `${sectionOf[kind]}.${key}.store`, text, { hints: near.length > 0 ? didYouMean(near) : others });
}

function unusedProblems(
  declared: Declarations,
  references: References,
  stores: readonly Declared[],
): readonly Problem[] {
  const used = new Set([...references.named, ...references.ignored.flatMap(membersOf), ...stores]);
  const unused = [...declared.values()]
    .flatMap((ofKind) => [...ofKind.values()])
    .filter((component) => !used.has(component));
  return unused
    .filter(({ registered }) => registered)
    .map(({ kind, id, position }) =>
      info(position, sectionOf[kind], `${kind} "${id}" is configured but ${unusedBy(kind)}`),
    );
}

function unusedBy(kind: ComponentKind): string {
  if (kind === 'extension') return 'not named in service.extensions';
  return kind === 'store' ? 'not used by any component' : 'not used by any traces pipeline';
}

interface Parts {
  readonly references: References;
  readonly configs: ReadonlyMap<Declared, unknown>;
  readonly stores: readonly Declared[];
  readonly service: Service;
}

function toConfig({ references, configs, stores, service }: Parts): Config {
  // What is named without being registered was left out.
  const used = [...references.named].filter(({ registered }) => registered);
  const configured = (components: readonly Declared[]) =>
    components.map((component): ConfiguredComponent => {
      const { id, type, position, registered } = component;
      return { id, type: registered?.type ?? type, config: configs.get(component), position };
    });
  const ofKind = (kind: ComponentKind) => configured(used.filter((component) => component.kind === kind));
  return {
    receivers: ofKind('receiver'),
    processors: ofKind('processor'),
    exporters: ofKind('exporter'),
    connectors: ofKind('connector'),
    extensions: ofKind('extension'),
    stores: configured(stores),
    pipelines: references.pipelines.map(({ id, receivers, processors, exporters }) => ({
      id,
      receivers: idsOf(receivers),
      processors: idsOf(processors),
      exporters: idsOf(exporters),
    })),
    ignoredPipelines: references.ignored.map(({ id, signal, receivers }) => ({
      id,
      signal,
      receivers: idsOf(receivers),
    })),
    telemetry: service.telemetry,
    redaction: service.redaction,
  };
}

function idsOf(components: readonly Declared[]): readonly string[] {
  return components.map(({ id }) => id);
}
