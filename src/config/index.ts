/**
 * Configuration: text and environment in, a checked Config and a list of problems out
 * (specification: configuration 0.1). The Collector's YAML is the native format; other formats are
 * read by readers of their own into the same positioned tree, and go through the same checks.
 */
import { type Config, checkConfig } from './check.ts';
import type { Registry } from './declare.ts';
import { defaultConfig, defaultSource } from './default.ts';
import type { AgentWorld } from './cloudwatch-agent/translate.ts';
import { readAgentConfig } from './cloudwatch-agent/index.ts';
import { expandTree } from './expand.ts';
import { readFeatureGates } from './feature-gates.ts';
import { readFluentBit } from './fluent-bit/index.ts';
import { type Translation, placeOf } from './foreign.ts';
import type { Format } from './format-names.ts';
import { detectFormat } from './format.ts';
import { isListOfService, mergeMappings } from './merge.ts';
import { type Problem, error } from './message.ts';
import { type Location, type World, parseLocation, parseSet, readLocation } from './source.ts';
import { type MappingNode, isNull, mapping, wholeSource } from './tree.ts';
import { readConnectorConfig } from './xray-connector/index.ts';
import { readDaemonConfig } from './xray-daemon/index.ts';
import { parseYaml } from './yaml.ts';

export type { Config, ConfiguredComponent, PipelineConfig } from './check.ts';
export type { Format } from './format-names.ts';
export type { ComponentKind, KnownComponent, Registry } from './declare.ts';
export { type Problem, printProblems, problemLine } from './message.ts';
export { printConfig } from './print.ts';
export type { MappingNode } from './tree.ts';

export interface LoadInput extends World {
  /** As given by `--config`, in order; none means the default configuration. */
  readonly locations: readonly string[];
  /** As given by `--set`; they apply after all locations. */
  readonly sets: readonly string[];
  readonly registry: Registry;
  /** As given by the Collector's `--feature-gates`. */
  readonly featureGates?: readonly string[] | undefined;
  /** Of every location; found out from name and content when absent. */
  readonly format?: Format | undefined;
  /** Flags of the X-Ray daemon, as its file would have them; there may be no file then. */
  readonly daemonFlags?: MappingNode | undefined;
  /** What the CloudWatch agent takes from its installation. */
  readonly agent?: Omit<AgentWorld, 'env'> | undefined;
}

export interface Loaded {
  /** Undefined when there are errors among the problems. */
  readonly config: Config | undefined;
  /** Merged and expanded, for `printConfig`; undefined when it did not come that far. */
  readonly tree: MappingNode | undefined;
  /** By source and line. */
  readonly problems: readonly Problem[];
  /** Texts by the names that problems give their sources. */
  readonly sources: ReadonlyMap<string, string>;
  /** Of the sources that are not the Collector's. */
  readonly format: Format;
}

/** Reads, translates, merges, expands and checks. A stage with errors stops before the next. Never rejects because of its input. */
export async function loadConfig(input: LoadInput): Promise<Loaded> {
  const world: World = { read: input.read, fetch: input.fetch, env: input.env };
  const gathered = await readSources(input, world);
  const sources = new Map(gathered.sources.map(({ source, text }) => [source, text]));
  const foreign = gathered.sources.filter(({ format }) => format !== 'otelcol');
  const format = foreign[0]?.format ?? (input.daemonFlags ? 'xray' : 'otelcol');
  const finish = (found: readonly Problem[], tree?: MappingNode, config?: Config): Loaded => {
    return { config, tree, problems: inOrder(found, [...sources.keys()]), sources, format };
  };
  if (hasErrors(gathered.problems)) return finish(gathered.problems);

  const translation = format === 'otelcol' ? undefined : await translate(format, foreign, input);
  const own = gathered.sources.flatMap(({ format: found, root }) => (found === 'otelcol' && root ? [root] : []));
  const gates = readFeatureGates(input.featureGates ?? []);
  const told = [...gathered.problems, ...gates.problems, ...(translation?.problems ?? [])];
  if (hasErrors(told)) return finish(told);

  // References are the Collector's; what other programs replace, their readers have replaced.
  const [first, ...later] = own;
  const place = { path: [], appends: gates.appendsLists ? isListOfService : () => false };
  const lay = (earlier: MappingNode, over: MappingNode): MappingNode => mergeMappings(earlier, over, place);
  const expansion = first && (await expandTree(later.reduce(lay, first), world));
  for (const [source, text] of expansion?.sources ?? []) sources.set(source, text);
  told.push(...(expansion?.problems ?? []));
  if (hasErrors(told)) return finish(told);

  const trees = [translation?.root, expansion?.root].filter((tree) => tree !== undefined);
  const [root, ...over] = trees;
  if (!root) return finish(told);
  const merged = over.reduce(lay, root);
  const { config, problems } = await checkConfig(merged, input.registry);
  return finish([...told, ...problems.map((found) => inForeignWords(found, translation))], merged, config);
}

function translate(
  format: Exclude<Format, 'otelcol'>,
  files: readonly Source[],
  input: LoadInput,
): Translation | Promise<Translation> {
  switch (format) {
    case 'xray':
      return readDaemonConfig(files[0], input.daemonFlags);
    case 'cloudwatch-agent':
      return readAgentConfig(files, { env: input.env, ...input.agent });
    case 'xrayconnector':
      return readConnectorConfig(files[0] ?? noFile);
    case 'fluent-bit':
      return readFluentBit(files[0] ?? noFile, input);
  }
}

const noFile = { source: 'command line', text: '' };

/** The checks know the Collector's keys; the user wrote others. */
function inForeignWords(found: Problem, translation: Translation | undefined): Problem {
  const key = translation?.keys.get(placeOf(found));
  return key === undefined ? found : { ...found, path: key };
}

interface Source {
  readonly source: string;
  readonly text: string;
  readonly format: Format;
  /** Of the Collector's. */
  readonly root: MappingNode | undefined;
}

interface Gathered {
  /** At least one, unless there are flags of a program that needs none. */
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
}

async function readSources(input: LoadInput, world: World): Promise<Gathered> {
  const { locations, sets, daemonFlags } = input;
  const sources: Source[] = [];
  const problems: Problem[] = [];
  const fallback: Location = { scheme: 'yaml', opaque: defaultConfig, source: defaultSource };
  const needsNone = locations.length > 0 || daemonFlags !== undefined;
  const wanted = [
    ...(needsNone ? locations.map((text, index) => parseLocation(text, index + 1)) : [fallback]),
    ...sets.map((argument, index) => parseSet(argument, index + 1)),
  ];
  for (const [i, location] of wanted.entries()) {
    if ('severity' in location) {
      problems.push(location);
      continue;
    }
    const { source } = location;
    const text = await readLocation(location, world);
    if (typeof text !== 'string') {
      problems.push(text);
      continue;
    }
    const format = i < wanted.length - sets.length ? (input.format ?? detectFormat({ source, text })) : 'otelcol';
    const known = sources.find((other) => other.format !== 'otelcol')?.format;
    if (typeof format !== 'string') problems.push(format.problem);
    else if (format === 'otelcol') {
      const parsed = parseRoot(text, source);
      problems.push(...parsed.problems);
      sources.push({ source, text, format, root: parsed.root });
    } else {
      if (known !== undefined && (known !== format || format !== 'cloudwatch-agent')) {
        problems.push(
          error(wholeSource(source), '', `is a configuration of ${format}; another file is one of ${known} already`),
        );
      }
      sources.push({ source, text, format, root: undefined });
    }
    if (typeof format !== 'string') sources.push({ source, text, format: 'otelcol', root: undefined });
  }
  return { sources, problems };
}

function parseRoot(
  text: string,
  source: string,
): { readonly root: MappingNode | undefined; readonly problems: readonly Problem[] } {
  const { root, problems } = parseYaml(text, { source });
  if (!root || root.kind === 'mapping') return { root, problems };
  if (isNull(root)) return { root: mapping(wholeSource(source), new Map()), problems };
  const got = root.kind === 'list' ? 'a list' : 'a single value';
  const original = `retrieved value (type=${root.kind === 'list' ? '[]interface {}' : typeof root.value}) cannot be used as a Conf`;
  return {
    root: undefined,
    problems: [error(root.position, '', `expected a mapping at the top, got ${got}`, { original })],
  };
}

function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** As a reader goes through the sources. */
function inOrder(problems: readonly Problem[], sources: readonly string[]): readonly Problem[] {
  const rank = (source: string) => sources.indexOf(source);
  return problems.toSorted((a, b) => rank(a.source) - rank(b.source) || a.line - b.line || a.column - b.column);
}
