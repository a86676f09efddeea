/**
 * Problems of a configuration, and how they are printed (specification: configuration 8.2): what
 * is wrong, where, the line itself with a caret, what to do. Secrets are masked.
 */
import type { Position } from './tree.ts';

/** `debug` tells of keys that are accepted without effect. */
export type Severity = 'error' | 'warning' | 'info' | 'debug';

export interface Problem extends Position {
  readonly severity: Severity;
  /** In the user's notation: `receivers.otlp.protocols.grpc.endpoint`; empty when there is none. */
  readonly path: string;
  readonly text: string;
  readonly hints: readonly string[];
  /** What the Collector would say; people search the web for it. */
  readonly original?: string;
}

interface Details {
  readonly hints?: readonly string[];
  readonly original?: string;
}

export function problem(
  severity: Severity,
  position: Position,
  path: string,
  text: string,
  details: Details = {},
): Problem {
  const { source, line, column, length } = position;
  return { severity, source, line, column, length, path, text, hints: [], ...details };
}

export function error(position: Position, path: string, text: string, details?: Details): Problem {
  return problem('error', position, path, text, details);
}

export function warning(position: Position, path: string, text: string, details?: Details): Problem {
  return problem('warning', position, path, text, details);
}

export function info(position: Position, path: string, text: string, details?: Details): Problem {
  return problem('info', position, path, text, details);
}

/**
 * Errors and warnings for a terminal, in the order given, with a last line that counts them; info
 * too when `verbose`. Empty when there is nothing to say. `sources` holds the text behind each source name.
 */
export function printProblems(
  problems: readonly Problem[],
  sources: ReadonlyMap<string, string>,
  { verbose = false }: { readonly verbose?: boolean } = {},
): string {
  const shown = problems.filter(({ severity }) => verbose || severity === 'error' || severity === 'warning');
  if (shown.length === 0) return '';
  const messages = shown.map((found) => printProblem(found, sources.get(found.source)));
  return [...messages, `${countLine(shown)}\n`].join('\n');
}

/** One problem as one line, for logs: `otel.yaml:10:3: exporters: unknown type "awsxary"`. */
export function problemLine({ source, line, column, path, text }: Problem): string {
  const place = line === 0 ? source : `${source}:${line}:${column}`;
  if (path === '') return `${place}: ${text}`;
  // "receivers.awsxray.endpoint is empty because …" reads better without the colon.
  return `${place}: ${path}${/^(?:is|has|must|references|expands) /.test(text) ? ' ' : ': '}${text}`;
}

function printProblem(found: Problem, sourceText: string | undefined): string {
  const hints = [
    ...found.hints,
    ...(found.original === undefined ? [] : [`the Collector would say: ${found.original}`]),
  ];
  const picture = sourceText === undefined || found.line === 0 ? [] : pictureOf(found, sourceText);
  const margin = ' '.repeat(String(found.line).length + 1);
  return [
    `${found.severity}: ${oneLine(problemLine(found))}`,
    ...picture,
    ...hints.map((hint) => `${margin}= ${oneLine(hint)}`),
    '',
  ].join('\n');
}

const pictureColumnsMax = 160;

function pictureOf({ line, column, length }: Position, sourceText: string): readonly string[] {
  const shown = maskedLine(sourceText.split('\n'), line - 1);
  if (shown === undefined || column > pictureColumnsMax) return [];
  const margin = ' '.repeat(String(line).length + 1);
  const text = maskUserInfo(shown)
    .slice(0, pictureColumnsMax)
    .replaceAll(/[^\t\P{Cc}]/gu, '·');
  const blanks = text.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(length, text.length - column + 1)));
  return [`${margin}|`, `${line} | ${text}`, `${margin}| ${blanks}${carets}`];
}

function countLine(shown: readonly Problem[]): string {
  const count = (severity: Severity) => shown.filter((found) => found.severity === severity).length;
  const plural = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const parts = [
    count('error') > 0 ? plural(count('error'), 'error') : '',
    count('warning') > 0 ? plural(count('warning'), 'warning') : '',
    count('info') + count('debug') > 0 ? plural(count('info') + count('debug'), 'note') : '',
  ].filter((part) => part !== '');
  const names = [...new Set(shown.map(({ source }) => source))];
  return oneLine(`${parts.join(', ')} in ${names.join(', ')}`);
}

export const maskedText = '[REDACTED]';

/** `https://user:password@host` without what stands before the host. */
export function maskUserInfo(text: string): string {
  return text.replaceAll(/\/\/[^/@\s"']*@/g, `//${maskedText}@`);
}

const secretNamePattern =
  /pass(?:word|wd|phrase)|token|secret|authorization|credential|headers|api_?key|(?:^|[_-])key(?:_pem)?$/i;

/** Whether the values of a key with this name, or below it, must not be shown. */
export function isSecretName(name: string): boolean {
  return secretNamePattern.test(name);
}

const keyPattern = /(?:^|[\s{,[])["']?([\w.:/-]+)["']?\s*:(?=\s|$)/g;

/**
 * A line of a source without its secrets. Works on the text alone, because the text may not even be
 * YAML: what follows a secret key on its line is masked, and so are the values of lines indented below one.
 */
function maskedLine(lines: readonly string[], index: number): string | undefined {
  const line = lines[index]?.replace(/\r$/, '');
  if (line === undefined) return undefined;
  const keys = [...line.matchAll(keyPattern)];
  const secret = keys.find((key) => isSecretKey(key));
  if (secret) return maskAfter(line, secret);
  if (!standsBelowSecret(lines, index)) return line;
  return keys[0] ? maskAfter(line, keys[0]) : maskedText;
}

function maskAfter(line: string, { index, 0: key }: RegExpExecArray): string {
  const kept = line.slice(0, index + key.length);
  return kept.length === line.trimEnd().length ? line : `${kept} ${maskedText}`;
}

const enclosingLinesMax = 10_000;

function standsBelowSecret(lines: readonly string[], index: number): boolean {
  let depth = depthOf(lines[index] ?? '');
  for (let above = index - 1; above >= Math.max(0, index - enclosingLinesMax) && depth > 0; above -= 1) {
    const line = lines[above] ?? '';
    if (line.trim() === '' || depthOf(line) >= depth) continue;
    depth = depthOf(line);
    if ([...line.matchAll(keyPattern)].some(isSecretKey)) return true;
  }
  return false;
}

/** `- key: TaskId` names an attribute; any other `key` may hold one of an API. */
function isSecretKey(match: RegExpExecArray): boolean {
  const name = match[1] ?? '';
  return isSecretName(name) && !(name === 'key' && /^\s*-\s+$/.test(match.input.slice(0, match.index + 1)));
}

/** Indentation, where the items of a list count as deeper than a key in the same column. */
function depthOf(line: string): number {
  const text = line.trimStart();
  return (line.length - text.length) * 2 + (text.startsWith('- ') ? 1 : 0);
}

/** Text of others may hold line breaks and control characters; a message is one line. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ');
}
