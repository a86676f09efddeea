import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseJson } from '../../src/codec/index.ts';
import type { JsonObject, JsonValue } from '../../src/model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../../src/model/index.ts';
import { rootPath } from './root.ts';

/** Goldens: files of test/fixtures/golden that hold an input and exactly what must come of it. */

export interface Golden {
  readonly name: string;
  readonly members: JsonObject;
}

export function readGoldens(folder: string): readonly Golden[] {
  const directory = rootPath('test/fixtures/golden', folder);
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const members = parseJson(readFileSync(`${directory}/${file}`, 'utf8'));
      assert.ok(isJsonObject(members), file);
      return { name: file.slice(0, -'.json'.length), members };
    });
}

/**
 * Compares what came of the input with the members of the golden, line by line. With
 * RAYBRIDGE_GOLDEN_UPDATE=1 the file is written anew instead, and its difference is for a person to
 * read.
 */
export function assertGolden(folder: string, { name, members }: Golden, found: JsonObject): void {
  if (process.env['RAYBRIDGE_GOLDEN_UPDATE'] === '1') {
    const path = rootPath('test/fixtures/golden', folder, `${name}.json`);
    writeFileSync(path, `${printPretty(new Map([...members, ...found]))}\n`);
    return;
  }
  for (const [member, value] of found) {
    const wanted = members.get(member);
    assert.ok(wanted !== undefined, `${folder}/${name}.json has no ${member}`);
    assert.equal(printPretty(sorted(value)), printPretty(sorted(wanted)), `${folder}/${name}.json: ${member}`);
  }
}

/** Members by name, so that documents compare without order. */
export function sorted(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return new Map(
    [...value].map(([name, inner]): [string, JsonValue] => [name, sorted(inner)]).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const lineLengthMax = 110;

/** JSON for people: what fits a line stands on one. Numbers keep their text. */
export function printPretty(value: JsonValue, indent = ''): string {
  const line = printLine(value);
  if (indent.length + line.length <= lineLengthMax) return line;
  const inner = `${indent}  `;
  if (isJsonArray(value))
    return `[\n${value.map((element) => inner + printPretty(element, inner)).join(',\n')}\n${indent}]`;
  if (!isJsonObject(value)) return line;
  const members = [...value].map(([name, member]) => `${inner}${JSON.stringify(name)}: ${printPretty(member, inner)}`);
  return `{\n${members.join(',\n')}\n${indent}}`;
}

function printLine(value: JsonValue): string {
  if (isJsonNumber(value)) return value.literal;
  if (isJsonArray(value)) return `[${value.map(printLine).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}: ${printLine(member)}`).join(', ')}}`;
}
