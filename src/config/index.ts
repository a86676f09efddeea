/**
 * Configuration: text and environment in, a checked Config and a list of problems out
 * (specification: configuration 0.1). The Collector's YAML is the native format; other formats are
 * read by readers of their own into the same positioned tree, and go through the same checks.
 */
import { type Config, checkConfig } from './check.ts';
import type { Registry } from './declare.ts';
import { defaultConfig, defaultSource } from './default.ts';
import { expandTree } from './expand.ts';
import { mergeMappings } from './merge.ts';
import { type Problem, error } from './message.ts';
import { type Location, type World, parseLocation, parseSet, readLocation } from './source.ts';
import { type MappingNode, isNull, mapping, wholeSource } from './tree.ts';
import { parseYaml } from './yaml.ts';

export type { Config, ConfiguredComponent } from './check.ts';
export type { ComponentKind, RegisteredComponent, Registry } from './declare.ts';
export { type Problem, printProblems, problemLine } from './message.ts';
export { printConfig } from './print.ts';
export type { MappingNode } from './tree.ts';

export interface LoadInput extends World {
  /** As given by `--config`, in order; none means the default configuration. */
  readonly locations: readonly string[];
  /** As given by `--set`; they apply after all locations. */
  readonly sets: readonly string[];
  readonly registry: Registry;
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
}

/** Reads, merges, expands and checks. A stage with errors stops before the next. Never rejects because of its input. */
export async function loadConfig({ locations, sets, read, env, registry }: LoadInput): Promise<Loaded> {
  const world: World = { read, env };
  const gathered = await readSources(locations, sets, world);
  const { sources } = gathered;
  const finish = (found: readonly Problem[], tree?: MappingNode, config?: Config): Loaded => {
    return { config, tree, problems: inOrder(found, [...sources.keys()]), sources };
  };
  if (hasErrors(gathered.problems)) return finish(gathered.problems);

  const merged = gathered.roots.reduce(mergeMappings);
  const expansion = await expandTree(merged, world);
  for (const [source, text] of expansion.sources) sources.set(source, text);
  if (hasErrors(expansion.problems)) return finish(expansion.problems);

  const { config, problems } = checkConfig(expansion.root, registry);
  return finish([...expansion.problems, ...problems], expansion.root, config);
}

interface Gathered {
  /** At least one. */
  readonly roots: readonly MappingNode[];
  readonly problems: readonly Problem[];
  readonly sources: Map<string, string>;
}

async function readSources(locations: readonly string[], sets: readonly string[], world: World): Promise<Gathered> {
  const sources = new Map<string, string>();
  const roots: MappingNode[] = [];
  const problems: Problem[] = [];
  const fallback: Location = { scheme: 'yaml', opaque: defaultConfig, source: defaultSource };
  const wanted = [
    ...(locations.length > 0 ? locations.map((text, index) => parseLocation(text, index + 1)) : [fallback]),
    ...sets.map((argument, index) => parseSet(argument, index + 1)),
  ];
  for (const location of wanted) {
    if ('severity' in location) {
      problems.push(location);
      continue;
    }
    const text = await readLocation(location, world);
    if (typeof text !== 'string') {
      problems.push(text);
      continue;
    }
    sources.set(location.source, text);
    const parsed = parseRoot(text, location.source);
    problems.push(...parsed.problems);
    if (parsed.root) roots.push(parsed.root);
  }
  return { roots, problems, sources };
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
