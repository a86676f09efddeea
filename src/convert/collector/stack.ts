import type { Frame, StackSection } from '../stack.ts';
import { linesMax } from '../stack.ts';

/**
 * Stack traces as the Collector's exporter reads them (cause.go): by the resource's language alone,
 * with the faults of its grammars. Where it would fail on a text, the text stops being read.
 */

/** The thrown exception, whose type and message the event has, then its causes. */
export function parseCollectorStack(text: string, language: string): readonly StackSection[] {
  const parse = parsers.get(language);
  if (text === '' || !parse) return [thrown([])];
  return parse(text.split('\n', linesMax));
}

type Parse = (lines: readonly string[]) => readonly StackSection[];

const javascript: Parse = (lines) => [thrown(printed(lines).slice(1).flatMap(javascriptFrame))];

/** Python prints causes before effects and callers before callees, so it is read from below. */
const python: Parse = (lines) => {
  let frames: Frame[] = [];
  const sections = [thrown(frames)];
  let i = lines.length - 2;
  while (i >= 0) {
    const line = lines[i] ?? '';
    if (!line.startsWith('During handling of the above exception, another exception occurred:')) {
      frames.push(...pythonFrame(line));
      i -= 1;
      continue;
    }
    let place = i - 1;
    while (place >= 0 && !lines[place]?.startsWith('  File ')) place -= 1;
    const message = place < 0 ? '' : lines.slice(place + 2, i - 1).join('\n');
    // A message without a colon ends the reading.
    if (!message.includes(':')) break;
    frames = [];
    sections.push({ ...headed(message), frames });
    i = place;
  }
  return sections;
};

const java: Parse = (all) => {
  const lines = printed(all);
  let frames: Frame[] = [];
  const sections = [thrown(frames)];
  let i = 1;
  while (i < lines.length) {
    const line = lines[i] ?? '';
    i += 1;
    if (!line.startsWith('Caused by: ')) {
      frames.push(...javaFrame(line));
      continue;
    }
    // Up to the next frame all is message, put together without line breaks.
    const { type, message } = headed(line.slice(11));
    const start = i;
    while (i < lines.length && javaFrame(lines[i] ?? '').length === 0) i += 1;
    frames = [];
    sections.push({ type, message: [message, ...lines.slice(start, i)].join(''), frames });
  }
  return sections;
};

const dotnet: Parse = (lines) => [thrown(printed(lines).slice(1).flatMap(dotnetFrame))];

/** Pairs of lines, whatever they say; a place that cannot be read is the one before. */
const go: Parse = (all) => {
  const lines = printed(all);
  const frames: Frame[] = [];
  let place = { path: '', line: 0 };
  for (let i = 1; i < lines.length; i += 2) {
    if (isRunningGoroutine(lines[i] ?? '')) i += 1;
    const [, path, line] = /(?<![^:\s])([^:\s]+):(\d+)/.exec(lines[i + 1] ?? '') ?? [];
    if (path !== undefined) place = { path, line: toLine(line) };
    frames.push({ ...place, label: lines[i] ?? '' });
  }
  return [thrown(frames)];
};

const parsers: ReadonlyMap<string, Parse> = new Map([
  ['java', java],
  ['php', java],
  ['python', python],
  ['javascript', javascript],
  ['nodejs', javascript],
  ['webjs', javascript],
  ['dotnet', dotnet],
  ['go', go],
]);

function thrown(frames: readonly Frame[]): StackSection {
  return { type: '', message: '', frames };
}

/** `Type: message`; the character after the colon is skipped whatever it is. */
function headed(header: string): Omit<StackSection, 'frames'> {
  const at = header.indexOf(':');
  return at < 0 ? { type: header, message: '' } : { type: header.slice(0, at), message: header.slice(at + 2) };
}

/** Without the ends of lines, and without a last line that has nothing. */
function printed(lines: readonly string[]): readonly string[] {
  const whole = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  return whole.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** `TAB at label(path:line)`; what stands before a slash in the label is a module. */
function javaFrame(line: string): readonly Frame[] {
  const open = line.indexOf('(');
  if (!line.startsWith('\tat ') || open < 0 || !line.endsWith(')')) return [];
  const label = line.slice(4, open);
  const [path, rest] = halves(line.slice(open + 1, -1), ':');
  return [{ label: label.slice(label.indexOf('/') + 1), path, line: toLine(rest) }];
}

/** `  File "path", line N, in label`; a path with a comma makes it none. */
function pythonFrame(line: string): readonly Frame[] {
  const [file, place, label, ...others] = line.split(',', 4);
  if (!line.startsWith('  File ') || file === undefined || place === undefined) return [];
  if (label === undefined || others.length > 0) return [];
  return [
    {
      label: label.startsWith(' in ') ? label.slice(4) : '',
      path: file.slice(8, -1),
      line: place.startsWith(' line ') ? toLine(place.slice(6)) : 0,
    },
  ];
}

/** `    at label (path:line:column)`: the label keeps its last space, and a path ends at its first colon. */
function javascriptFrame(line: string): readonly Frame[] {
  const open = line.indexOf('(');
  if (!line.startsWith('    at ') || (open >= 0 && !line.endsWith(')'))) return [];
  const label = open < 0 ? '' : line.slice(7, open);
  const frame = { label, ...javascriptPlace(open < 0 ? line.slice(7) : line.slice(open + 1, -1)) };
  return frame.label === '' && frame.path === '' && frame.line === 0 ? [] : [frame];
}

function javascriptPlace(text: string): Omit<Frame, 'label'> {
  const [path, rest] = halves(text, ':');
  if (rest?.includes(':')) return { path, line: toLine(halves(rest, ':')[0]) };
  return { path: rest === undefined && text.includes('native') ? 'native' : text, line: 0 };
}

/** `at label in path:line N`, or a label alone up to its last parenthesis. */
function dotnetFrame(line: string): readonly Frame[] {
  const text = line.trim();
  if (!text.startsWith('at ')) return [];
  const [label, place] = text.split(' in ', 2);
  if (label === undefined || place === undefined) {
    const close = text.lastIndexOf(')');
    return close < 0 ? [] : [{ label: text.slice(3, close + 1), path: '', line: 0 }];
  }
  const at = place.lastIndexOf(':');
  if (at < 0) return [{ label: label.slice(3), path: place, line: 0 }];
  const number = place.slice(at + 1);
  return [
    {
      label: label.slice(3),
      path: place.slice(0, at),
      line: toLine(number.startsWith('line') ? number.slice(5) : number),
    },
  ];
}

function isRunningGoroutine(line: string): boolean {
  return line.startsWith('goroutine') && line.endsWith(':') && /\brunning\b/.test(line);
}

function halves(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** 0 for what is no number. */
function toLine(text: string | undefined): number {
  return text !== undefined && /^[+-]?\d{1,15}$/.test(text) ? Number(text) : 0;
}
