/** Fluent Bit's classic format (specification: configuration 4.1). */
import { type Problem, error } from '../message.ts';
import type { World } from '../source.ts';
import type { Position } from '../tree.ts';
import type { Property, Section, Variables } from './section.ts';

export interface ClassicInput {
  readonly source: string;
  readonly text: string;
  readonly world: World;
  /** Added to by `@SET`. */
  readonly variables: Variables;
  readonly problems: Problem[];
  /** Files on the way to this one; one that comes again includes itself. */
  readonly within?: readonly string[];
}

/** Names and their abbreviations, as far as they are unambiguous. */
const kinds = [
  'service',
  'input',
  'filter',
  'output',
  'parser',
  'multiline_parser',
  'stream_processor',
  'plugins',
  'upstream_servers',
  'custom',
];

export async function readClassic(input: ClassicInput): Promise<readonly Section[]> {
  const sections: { kind: string; position: Position; properties: Property[] }[] = [];
  const included: Section[] = [];
  const { source, problems, variables } = input;
  const within = [...(input.within ?? []), source];
  let unit: string | undefined;
  let unitLine = 0;
  let inGroup = false;
  let last: Section | undefined;

  const lines = input.text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const place = (column: number, length: number): Position => ({
      source,
      line: i + 1,
      column: column + 1,
      length: Math.max(1, length),
    });
    const complain = (text: string, original: string, hints: readonly string[] = []): void =>
      void problems.push(
        error(place(line.length - line.trimStart().length, trimmed.length), '', text, { original, hints }),
      );

    const command = /^@(\w+) ?(.*)$/.exec(line);
    if (command) {
      const [, word = '', rest = ''] = command;
      if (word.toUpperCase() === 'SET') setVariable(rest, variables);
      if (word.toUpperCase() === 'INCLUDE')
        included.push(...(await include(rest, { ...input, within }, place(0, line.length))));
      continue;
    }
    const header = /^\[(.*)$/.exec(line);
    if (header) {
      const name = /^\[([^\]]+)\]\s*$/.exec(line)?.[1]?.trim().toLowerCase();
      if (name === undefined || name === '')
        complain('expected the name of a section in brackets', 'bad header definition');
      const section = { kind: kindOf(name ?? ''), position: place(0, line.length), properties: [] };
      sections.push(section);
      last = section;
      inGroup = false;
      continue;
    }
    const indent = line.slice(0, line.length - line.trimStart().length);
    if (indent === '') {
      const key = trimmed.split(/\s/, 1)[0] ?? '';
      complain(`key ${JSON.stringify(key)} must be indented`, 'invalid indentation level');
      continue;
    }
    unit ??= ((unitLine = i + 1), indent);
    if (trimmed.startsWith('[')) {
      if (!last)
        complain('a group stands in a section, and there is none yet', "current group don't have a parent section");
      if (!/^\[[^\]]*\s[^\]]*\]$/.test(trimmed))
        complain('expected a group such as [name x]', 'expected a valid group name: [..]');
      inGroup = true;
      continue;
    }
    if (indent !== unit && !(inGroup && indent === unit + unit)) {
      const found = `indentation of ${describe(indent)}, but this file uses ${describe(unit)} (line ${unitLine})`;
      complain(found, 'invalid indentation level');
      continue;
    }
    if (indent === unit) inGroup = false;
    const section = sections.at(-1);
    if (!section) {
      complain(
        'expected a section before the first property',
        'undefined key - check config is in valid classic format',
      );
      continue;
    }
    const blank = trimmed.indexOf(' ');
    const key = (blank < 0 ? trimmed : trimmed.slice(0, blank)).toLowerCase();
    const value = blank < 0 ? '' : trimmed.slice(blank).trim();
    if (value === '') {
      complain(
        `key ${JSON.stringify(key)} has no value`,
        blank < 0 ? 'undefined value - check config is in valid classic format' : 'key has an empty value',
      );
      continue;
    }
    if (inGroup) continue;
    const column = indent.length;
    section.properties.push({
      key,
      position: place(column, key.length),
      value,
      valuePosition: place(line.indexOf(value, column + key.length), value.length),
    });
  }
  return [...sections, ...included];
}

function kindOf(name: string): string {
  const singular = name.replace(/^(input|filter|output|custom)s$/, '$1');
  return kinds.find((kind) => kind === singular) ?? kinds.find((kind) => kind.startsWith(singular)) ?? singular;
}

function setVariable(text: string, variables: Variables): void {
  const equals = text.indexOf('=');
  if (equals > 0) variables.set(text.slice(0, equals).trim(), text.slice(equals + 1));
}

async function include(path: string, input: ClassicInput, position: Position): Promise<readonly Section[]> {
  const { source, within = [], problems, world } = input;
  const file = relativeTo(source, path);
  if (within.includes(file)) {
    problems.push(
      error(position, '', `${JSON.stringify(path)} includes itself`, { original: `Read twice. path=${path}` }),
    );
    return [];
  }
  const sections: Section[] = [];
  for (const name of file.includes('*') ? await matching(file, world) : [file]) {
    try {
      sections.push(...(await readClassic({ ...input, source: name, text: await world.read(name) })));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      problems.push(error(position, '', `cannot read the file ${JSON.stringify(name)}: ${reason}`));
    }
  }
  return sections;
}

export function relativeTo(source: string, path: string): string {
  if (path.startsWith('/') || !source.includes('/')) return path;
  return `${source.slice(0, source.lastIndexOf('/'))}/${path}`.replace(/\/\.\//g, '/');
}

/** Names in the folder that the pattern fits, in order; `*` stands for any text but a slash. */
export async function matching(pattern: string, { list }: World): Promise<readonly string[]> {
  const slash = pattern.lastIndexOf('/');
  const folder = slash < 0 ? '.' : pattern.slice(0, slash);
  const parts = pattern
    .slice(slash + 1)
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const wanted = new RegExp(`^${parts.join('.*')}$`);
  const names = (await list?.(folder)) ?? [];
  return names
    .filter((name) => wanted.test(name))
    .toSorted()
    .map((name) => (slash < 0 ? name : `${folder}/${name}`));
}

function describe(indent: string): string {
  const tabs = indent.split('\t').length - 1;
  if (tabs === 0) return `${indent.length} blank${indent.length === 1 ? '' : 's'}`;
  return tabs === indent.length ? `${tabs} tab${tabs === 1 ? '' : 's'}` : 'blanks and tabs mixed';
}
