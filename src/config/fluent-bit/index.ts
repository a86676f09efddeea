/**
 * Fluent Bit's configuration, for the hop that takes OTLP in and gives it on: inputs and outputs
 * `opentelemetry`, output `stdout`, processors of traces (specification: configuration 4 and 7.3).
 */
import { type Translation } from '../foreign.ts';
import type { Problem } from '../message.ts';
import type { World } from '../source.ts';
import { wholeSource } from '../tree.ts';
import { readClassic } from './classic.ts';
import type { Section, Variables } from './section.ts';
import { translate } from './translate.ts';
import { expandVariables } from './variables.ts';
import { readFluentYaml } from './yaml-file.ts';

export async function readFluentBit(
  { source, text }: { readonly source: string; readonly text: string },
  world: World,
): Promise<Translation> {
  const problems: Problem[] = [];
  const variables: Variables = new Map();
  const input = { source, text, world, variables, problems };
  const isYaml = /\.ya?ml$/.test(source) || (!source.endsWith('.conf') && !/^\s*[[@]/m.test(text));
  const sections: readonly Section[] = isYaml ? await readFluentYaml(input) : await readClassic(input);
  const failed = problems.some(({ severity }) => severity === 'error');
  if (failed) return { root: undefined, problems, keys: new Map() };
  const expanded = sections.map((section) => expandVariables(section, { variables, env: world.env, problems }));
  const translation = translate(expanded, wholeSource(source));
  return { ...translation, problems: [...problems, ...translation.problems] };
}
