/**
 * Which components the pipelines and `service.extensions` name (specification: configuration 0.3,
 * 0.4 and 1.5). Pipelines of other signals than traces are set aside with a warning; what only they
 * name is neither built nor judged.
 */
import { type ComponentKind, type Declarations, type Declared, parseId, sectionOf } from './declare.ts';
import { didYouMean } from './decode.ts';
import { knownType } from './known.ts';
import { type Problem, error, info, warning } from './message.ts';
import type { Service } from './service.ts';
import { suggest } from './suggest.ts';
import { type MappingNode, type Path, keyPosition, nearest, printPath } from './tree.ts';

export interface References {
  /** Of traces, without what is left out of them. */
  readonly pipelines: readonly Pipeline[];
  /** Of other signals; what they name without being configured is not in them. */
  readonly ignored: readonly Pipeline[];
  /** In the order of `service.extensions`. */
  readonly extensions: readonly Declared[];
  /** All that pipelines of traces and `service.extensions` name, left out or not. */
  readonly named: ReadonlySet<Declared>;
  readonly problems: readonly Problem[];
}

export interface Pipeline {
  /** `traces` or `traces/2`. */
  readonly id: string;
  readonly signal: string;
  /** Of the pipeline in the configuration. */
  readonly path: Path;
  readonly receivers: readonly Declared[];
  readonly processors: readonly Declared[];
  readonly exporters: readonly Declared[];
}

export function readReferences(root: MappingNode, service: Service, declared: Declarations): References {
  const problems: Problem[] = [];
  const scope: Scope = { root, declared, problems };
  const all = readPipelines(service, scope);
  const extensions = readList(['service', 'extensions'], service.extensions, { kinds: ['extension'], scope });
  const traces = all.filter(({ signal }) => signal === 'traces');
  const ignored = all.filter(({ signal }) => signal !== 'traces');
  problems.push(...ignored.map((pipeline) => ignoredPipeline(pipeline, root)));
  if (all.length === 0)
    problems.push(error(keyPosition(root, ['service', 'pipelines']), 'service', 'must have at least one pipeline'));
  else if (traces.length === 0) problems.push(nothingForTraces(ignored, root));
  problems.push(...connectorProblems(traces, ignored, root));
  const judged = traces.map((pipeline) => withoutIgnoredConnectors(pipeline, ignored));
  const named = new Set([...judged.flatMap(membersOf), ...extensions]);
  problems.push(...[...named].flatMap(leftOutProblem));
  const pipelines = judged.map((pipeline) => ({
    ...pipeline,
    processors: pipeline.processors.filter((processor) => !isLeftOut(processor)),
  }));
  problems.push(...pipelines.flatMap((pipeline, index) => emptyPipeline(pipeline, traces[index], root)));
  return { pipelines, ignored, extensions: extensions.filter((extension) => !isLeftOut(extension)), named, problems };
}

/** Every component that a pipeline names. */
export function membersOf({ receivers, processors, exporters }: Pipeline): readonly Declared[] {
  return [...receivers, ...processors, ...exporters];
}

interface Scope {
  readonly root: MappingNode;
  readonly declared: Declarations;
  readonly problems: Problem[];
}

const signals: readonly string[] = ['traces', 'metrics', 'logs', 'profiles'];

function readPipelines(service: Service, scope: Scope): readonly Pipeline[] {
  return Object.entries(service.pipelines).flatMap(
    ([key, { receivers, processors, exporters }]): readonly Pipeline[] => {
      const path = ['service', 'pipelines', key];
      const parsed = parseId(key);
      if ('wrong' in parsed) {
        scope.problems.push(error(keyPosition(scope.root, path), 'service.pipelines', parsed.wrong));
        return [];
      }
      const { id, type: signal } = parsed;
      if (!signals.includes(signal)) {
        scope.problems.push(unknownSignal(signal, path, scope.root));
        return [];
      }
      // What is not configured matters in pipelines of traces only.
      const inScope = signal === 'traces' ? scope : { ...scope, problems: [] };
      const read = (role: string, ids: readonly string[], kinds: readonly ComponentKind[]) =>
        readList([...path, role], ids, { kinds, scope: inScope, pipeline: id });
      const pipeline: Pipeline = {
        id,
        signal,
        path,
        receivers: read('receivers', receivers, ['receiver', 'connector']),
        processors: read('processors', processors, ['processor']),
        exporters: read('exporters', exporters, ['exporter', 'connector']),
      };
      inScope.problems.push(...repeatedProcessors(pipeline, processors, scope.root));
      return [pipeline];
    },
  );
}

interface Reading {
  /** Where a reference may lead, the first that has it counts. */
  readonly kinds: readonly ComponentKind[];
  readonly scope: Scope;
  /** Id; undefined for `service.extensions`. */
  readonly pipeline?: string;
}

function readList(path: Path, references: readonly string[], reading: Reading): readonly Declared[] {
  const { kinds, scope } = reading;
  return references.flatMap((reference, index) => {
    const parsed = parseId(reference);
    const position = nearest(scope.root, [...path, index]).position;
    if ('wrong' in parsed) {
      scope.problems.push(error(position, printPath(path), parsed.wrong));
      return [];
    }
    const found = kinds
      .map((kind) => scope.declared.get(kind)?.get(parsed.id))
      .find((declared) => declared !== undefined);
    if (found) return [found];
    scope.problems.push({ ...missingReference(parsed, path, reading), ...position });
    return [];
  });
}

function missingReference(
  { id, type }: { readonly id: string; readonly type: string },
  path: Path,
  { kinds, scope, pipeline }: Reading,
): Problem {
  const kind = kinds[0] ?? 'receiver';
  const configured = kinds.flatMap((kind) => [...(scope.declared.get(kind)?.values() ?? [])]);
  const ids = configured.map((declared) => declared.id);
  const near = [
    ...suggest(id, ids),
    ...configured.filter((declared) => isSameType(declared, type)).map((declared) => declared.id),
  ];
  const nearest = configured.find((declared) => declared.id === near[0]);
  const there = nearest
    ? `; ${sectionOf[nearest.kind]} has ${JSON.stringify(nearest.id)} (line ${nearest.position.line})`
    : '';
  const place = pipeline === undefined ? 'service::extensions' : `service::pipelines::${pipeline}`;
  return error(scope.root.position, printPath(path), `${JSON.stringify(id)} is not configured${there}`, {
    hints: [
      ...didYouMean(near.slice(0, 3)),
      ...(near.length === 0 && ids.length > 0 ? [`configured ${sectionOf[kind]}: ${ids.join(', ')}`] : []),
    ],
    original: `${place}: references ${kind} ${JSON.stringify(id)} which is not configured`,
  });
}

/** Two spellings of one type. */
function isSameType({ registered, type: declaredType }: Declared, type: string): boolean {
  return type === (registered?.type ?? declaredType);
}

function unknownSignal(signal: string, path: Path, root: MappingNode): Problem {
  const text = `unknown pipeline signal: ${JSON.stringify(signal)}`;
  return error(keyPosition(root, path), 'service.pipelines', text, {
    hints: didYouMean(suggest(signal, signals)),
    original: `'service.pipelines' ${text}`,
  });
}

function repeatedProcessors(
  { id, path }: Pipeline,
  processors: readonly string[],
  root: MappingNode,
): readonly Problem[] {
  const ids = processors.map((processor) => processor.trim());
  return ids.flatMap((processor, index) => {
    if (ids.indexOf(processor) === index) return [];
    const text = `references processor ${JSON.stringify(processor)} multiple times`;
    const place = [...path, 'processors'];
    return [
      error(nearest(root, [...place, index]).position, printPath(place), text, {
        original: `service::pipelines::${id}: ${text}`,
      }),
    ];
  });
}

function ignoredPipeline({ id, path }: Pipeline, root: MappingNode): Problem {
  return warning(keyPosition(root, path), '', `pipeline ${JSON.stringify(id)} ignored: Raybridge handles traces only`);
}

function nothingForTraces(ignored: readonly Pipeline[], root: MappingNode): Problem {
  const ids = ignored.map(({ id }) => id).join(', ');
  return error(
    keyPosition(root, ['service', 'pipelines']),
    '',
    `no traces pipeline (ignored: ${ids}); Raybridge has nothing to do`,
  );
}

function emptyPipeline(pipeline: Pipeline, before: Pipeline | undefined, root: MappingNode): readonly Problem[] {
  return (['receiver', 'exporter'] as const).flatMap((kind) => {
    const role = sectionOf[kind];
    const path = [...pipeline.path, role];
    // A list whose references are all wrong has been told of.
    const written = nearest(root, path);
    if (
      pipeline[role].length > 0 ||
      (written.kind === 'list' && written.items.length > 0 && before?.[role].length === 0)
    )
      return [];
    const left = (before?.[role].length ?? 0) > 0 ? 'has no' : 'must have at least one';
    const text = left === 'has no' ? `has no ${kind} left` : `must have at least one ${kind}`;
    return [
      error(keyPosition(root, pipeline.path), printPath(pipeline.path), text, {
        original: `service::pipelines::${pipeline.id}: must have at least one ${kind}`,
      }),
    ];
  });
}

/** Tells of a component that Raybridge knows by name and does without. */
function leftOutProblem(declared: Declared): readonly Problem[] {
  const known = declared.registered ? undefined : knownType(declared.kind, declared.type);
  if (!known || known.treatment === 'refused') return [];
  const tell = known.treatment === 'idle' ? info : warning;
  return [
    tell(
      declared.position,
      sectionOf[declared.kind],
      `${declared.kind} ${JSON.stringify(declared.id)} ${known.reason}`,
    ),
  ];
}

function isLeftOut({ kind, type, registered }: Declared): boolean {
  const known = registered ? undefined : knownType(kind, type);
  return known !== undefined && known.treatment !== 'refused';
}

function withoutIgnoredConnectors(pipeline: Pipeline, ignored: readonly Pipeline[]): Pipeline {
  return { ...pipeline, exporters: pipeline.exporters.filter((exporter) => !feedsIgnoredOnly(exporter, ignored)) };
}

/** A connector such as spanmetrics, which makes another signal of traces and is not implemented. */
function feedsIgnoredOnly(exporter: Declared, ignored: readonly Pipeline[]): boolean {
  return (
    exporter.kind === 'connector' &&
    !exporter.registered &&
    ignored.some(({ receivers }) => receivers.includes(exporter))
  );
}

function connectorProblems(
  traces: readonly Pipeline[],
  ignored: readonly Pipeline[],
  root: MappingNode,
): readonly Problem[] {
  const all = [...traces, ...ignored];
  const connectors = new Set(
    traces
      .flatMap(({ receivers, exporters }) => [...receivers, ...exporters])
      .filter(({ kind }) => kind === 'connector'),
  );
  const oneSided = [...connectors].flatMap((connector) => {
    const from = all.filter(({ exporters }) => exporters.includes(connector)).map(({ id }) => id);
    const to = all.filter(({ receivers }) => receivers.includes(connector)).map(({ id }) => id);
    const place = [connector.position, sectionOf.connector] as const;
    const name = `connector ${JSON.stringify(connector.id)}`;
    if (to.length === 0 && !connector.registered?.endsPipelines)
      return [
        error(
          ...place,
          `${name} used as exporter in [${from.join(' ')}] pipeline but not used in any supported receiver pipeline`,
        ),
      ];
    if (from.length === 0)
      return [
        error(
          ...place,
          `${name} used as receiver in [${to.join(' ')}] pipeline but not used in any supported exporter pipeline`,
        ),
      ];
    if (!feedsIgnoredOnly(connector, ignored)) return [];
    return [warning(...place, `${name} ignored: it feeds ignored pipelines only`)];
  });
  return [...oneSided, ...cycleProblem(traces, root)];
}

function cycleProblem(traces: readonly Pipeline[], root: MappingNode): readonly Problem[] {
  for (const start of traces) {
    const cycle = cycleFrom(start, traces);
    if (!cycle) continue;
    const steps = [...cycle, ...cycle.slice(0, 1)].map(
      ({ id }) => `connector ${JSON.stringify(id)} (traces to traces)`,
    );
    return [error(keyPosition(root, start.path), printPath(start.path), `cycle detected: ${steps.join(' -> ')}`)];
  }
  return [];
}

/** The connectors on a way from a pipeline back to itself. Each pipeline is visited once. */
function cycleFrom(start: Pipeline, traces: readonly Pipeline[]): readonly Declared[] | undefined {
  const waiting: { readonly pipeline: Pipeline; readonly way: readonly Declared[] }[] = [{ pipeline: start, way: [] }];
  const seen = new Set<Pipeline>();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { pipeline, way } = next;
    for (const connector of pipeline.exporters.filter(({ kind }) => kind === 'connector')) {
      for (const target of traces.filter(({ receivers }) => receivers.includes(connector))) {
        if (target === start) return [...way, connector];
        if (!seen.has(target)) waiting.push({ pipeline: target, way: [...way, connector] });
        seen.add(target);
      }
    }
  }
  return undefined;
}
