import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { dataDirOf } from '../data-dir.ts';
import type { LetterBox } from '../control.ts';
import type { DeadLetter } from '../pipeline/queue.ts';

interface LetterOptions {
  readonly dataDir?: string;
  readonly destination?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** What destinations refused for good. Works on the Raybridge that runs, or on its data directory when none does. */
export function dlqCommand(): Command {
  const command = new Command('dlq').description('look at, replay or drop what destinations refused for good');
  const add = (verb: string, about: string): Command =>
    command
      .command(verb)
      .description(about)
      .option('--data-dir <folder>', 'where the queue lives (RAYBRIDGE_DATA_DIR; ~/.local/share/raybridge)');
  const addChoosing = (verb: string, about: string): Command =>
    add(verb, about).option('--destination <name>', 'only those of one destination, such as "traces>awsxray"');

  addChoosing('list', 'one line each: number, time, destination, spans, bytes, reason')
    .option('--json', 'one JSON object a line')
    .action((options: LetterOptions) => withLetters(options, (box) => list(box, options)));
  add('show', 'print what one holds: segment documents or OTLP, as bytes')
    .argument('<number>', 'of the letter', (text) => readNumber(text))
    .action((number: number, options: LetterOptions) => withLetters(options, (box) => show(box, number)));
  for (const [verb, about, done] of [
    ['replay', 'put them back into the queue of their destination', 'put back into the queue'],
    ['drop', 'forget them for good', 'dropped'],
  ] as const) {
    addChoosing(verb, about)
      .argument('[number...]', 'of letters', (text, before: readonly number[]) => [...before, readNumber(text)], [])
      .option('--all', 'all of them, or of the destination')
      .action((numbers: readonly number[], options: LetterOptions, self: Command) => {
        if ((numbers.length === 0) !== (options.all === true)) self.error('error: give numbers of letters, or --all');
        return withLetters(options, (box) => settle(box, { numbers, options, verb, done }));
      });
  }
  return command;
}

function readNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`Expected the number of a dead letter, as "raybridge dlq list" shows it.`);
}

const failed = 1;

async function withLetters(options: LetterOptions, work: (box: LetterBox) => Promise<boolean>): Promise<void> {
  const dataDir = dataDirOf(options.dataDir, process.env);
  const { findLetterBox } = await import('../control.ts');
  const running = await findLetterBox(dataDir);
  const ok = running ? await work(running) : await withStoppedQueue(dataDir, work);
  if (!ok) process.exitCode = failed;
}

/** Claims the data directory for the time of the work, so that no Raybridge starts on it meanwhile. */
async function withStoppedQueue(dataDir: string, work: (box: LetterBox) => Promise<boolean>): Promise<boolean> {
  const dir = join(dataDir, 'queue');
  if (
    !(await access(dir).then(
      () => true,
      () => false,
    ))
  ) {
    process.stderr.write(`error: ${dataDir} holds no queue; name the data directory with --data-dir\n`);
    return false;
  }
  const [{ claimDataDir }, { letterBoxOf }, { openQueueOfStopped }] = await Promise.all([
    import('../data-dir.ts'),
    import('../control.ts'),
    import('../raybridge.ts'),
  ]);
  const release = await claimDataDir(dataDir);
  const queue = await openQueueOfStopped(dir);
  try {
    return await work(letterBoxOf(queue));
  } finally {
    await queue.close();
    await release();
  }
}

async function chosen(box: LetterBox, { destination }: LetterOptions): Promise<readonly DeadLetter[]> {
  const all = await box.list();
  return destination === undefined ? all : all.filter((letter) => letter.destination === destination);
}

async function list(box: LetterBox, options: LetterOptions): Promise<boolean> {
  for (const letter of await chosen(box, options)) {
    process.stdout.write(`${options.json ? printJson(letter) : printLine(letter)}\n`);
  }
  return true;
}

function printJson(letter: DeadLetter): string {
  const { number, destination, sequence, reason, items, bytes } = letter;
  return JSON.stringify({ number, diedAt: timeOf(letter), destination, sequence, items, bytes, reason });
}

function printLine(letter: DeadLetter): string {
  const { number, destination, items, bytes, reason } = letter;
  return `${number}\t${timeOf(letter)}\t${destination}\t${items} spans\t${bytes} bytes\t${oneLine(reason)}`;
}

function timeOf({ diedAtNs }: DeadLetter): string {
  return new Date(Number(diedAtNs / 1_000_000n)).toISOString();
}

/** Reasons repeat what a destination answered, which may hold anything. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ');
}

async function show(box: LetterBox, number: number): Promise<boolean> {
  const record = await box.show(number);
  if (record) process.stdout.write(record.body);
  else process.stderr.write(`error: there is no readable dead letter ${number}\n`);
  return record !== undefined;
}

interface Settling {
  readonly numbers: readonly number[];
  readonly options: LetterOptions;
  readonly verb: 'replay' | 'drop';
  readonly done: string;
}

async function settle(box: LetterBox, { numbers, options, verb, done }: Settling): Promise<boolean> {
  const wanted = options.all ? (await chosen(box, options)).map(({ number }) => number) : numbers;
  let settled = 0;
  for (const number of wanted) {
    if (await box[verb](number)) settled++;
    else process.stderr.write(`error: there is no dead letter ${number}\n`);
  }
  process.stdout.write(`${settled} ${settled === 1 ? 'letter' : 'letters'} ${done}\n`);
  return settled === wanted.length;
}
