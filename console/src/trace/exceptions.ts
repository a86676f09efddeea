import { asList, asNumber, asRecord, asText, member, memberAt } from '../json/read.ts';
import type { JsonRecord } from '../json/read.ts';
import type { TraceNode, TraceTree } from './tree.ts';

/** An exception of a document's `cause`. */
export interface TraceException {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly message: string | undefined;
  /** Raised by the callee, not here. */
  readonly remote: boolean;
  readonly stack: readonly StackFrame[];
  /** Frames that the sender left out. */
  readonly truncated: number;
  /** The node that recorded it, when that is another one. */
  readonly recordedBy: TraceNode | undefined;
}

export interface StackFrame {
  readonly label: string | undefined;
  readonly path: string | undefined;
  readonly line: number | undefined;
}

/**
 * The exceptions of a node, outermost first. `cause` may also be the id of an exception, or of a
 * document, somewhere else in the trace; the exceptions recorded there are then given.
 */
export function exceptionsOf(node: TraceNode, tree: TraceTree): readonly TraceException[] {
  const own = recorded(node);
  if (own.length > 0) return own;
  const cause = member(node.document, 'cause');
  const reference = asText(cause) ?? asText(memberAt(cause, 'id'));
  return reference ? lookUp(reference, node, tree) : [];
}

/** The working directory in which the exceptions' paths are to be read. */
export function workingDirectoryOf(node: TraceNode): string | undefined {
  return asText(memberAt(node.document, 'cause', 'working_directory'));
}

export function hasCause(node: TraceNode): boolean {
  return member(node.document, 'cause') !== undefined;
}

/** `src/price.ts:41 fetchPrice`, with what of it is known. */
export function spellFrame({ label, path, line }: StackFrame): string {
  const place = [path, line].filter((part) => part !== undefined).join(':');
  return [label, place && (label ? `(${place})` : place)].filter(Boolean).join(' ');
}

function lookUp(reference: string, from: TraceNode, tree: TraceTree): readonly TraceException[] {
  for (const node of tree.nodes) {
    if (node === from || !hasCause(node)) continue;
    const exceptions = recorded(node);
    const at = node.id === reference ? 0 : exceptions.findIndex(({ id }) => id === reference);
    if (at !== -1 && exceptions.length > 0)
      return exceptions.slice(at).map((exception) => ({ ...exception, recordedBy: node }));
  }
  return [];
}

function recorded(node: TraceNode): readonly TraceException[] {
  return asList(memberAt(node.document, 'cause', 'exceptions')).flatMap((entry) => {
    const exception = asRecord(entry);
    return exception ? [toException(exception)] : [];
  });
}

function toException(exception: JsonRecord): TraceException {
  return {
    id: asText(member(exception, 'id')),
    type: asText(member(exception, 'type')),
    message: asText(member(exception, 'message')),
    remote: member(exception, 'remote') === true,
    stack: asList(member(exception, 'stack')).flatMap((entry) => {
      const frame = asRecord(entry);
      return frame
        ? [
            {
              label: asText(member(frame, 'label')),
              path: asText(member(frame, 'path')),
              line: asNumber(member(frame, 'line')),
            },
          ]
        : [];
    }),
    truncated: asNumber(member(exception, 'truncated')) ?? 0,
    recordedBy: undefined,
  };
}

/**
 * Where a trace that failed opens: the deepest node that failed as badly as the trace did and recorded
 * why. Undefined when it did not fail, or nobody says why.
 */
export function guiltyNode(tree: TraceTree): TraceNode | undefined {
  const worst = severities.find((outcome) => tree.roots.some((root) => root.outcome === outcome));
  if (worst === undefined) return undefined;
  const guilty = tree.nodes.filter((node) => node.outcome === worst && !node.inferred && recorded(node).length > 0);
  return guilty.toSorted((a, b) => depthOf(b) - depthOf(a) || a.start - b.start)[0];
}

const severities = ['fault', 'throttle', 'error'] as const;

function depthOf(node: TraceNode): number {
  let depth = 0;
  for (let at = node.parent; at !== undefined; at = at.parent) depth += 1;
  return depth;
}

/** Frames of the program itself, and runs of those of libraries and runtimes between them. */
export interface FrameRun {
  readonly isLibrary: boolean;
  readonly frames: readonly StackFrame[];
}

export function frameRuns(stack: readonly StackFrame[]): readonly FrameRun[] {
  const runs: { isLibrary: boolean; frames: StackFrame[] }[] = [];
  for (const frame of stack) {
    const isLibrary = isLibraryFrame(frame);
    const last = runs.at(-1);
    if (last?.isLibrary === isLibrary) last.frames.push(frame);
    else runs.push({ isLibrary, frames: [frame] });
  }
  return runs;
}

const libraryPath =
  /node_modules|^node:|^internal\/|site-packages|dist-packages|\/lib\/python\d|<frozen |\/pkg\/mod\/|\/usr\/(?:local\/)?(?:go|lib)\/|\/gems\/|\/ruby\/\d|\.cargo\/registry|\/rustc\/|\/vendor\//;
const libraryLabel =
  /^(?:java|javax|jdk|sun|kotlin|scala|org\.(?:springframework|apache|hibernate|eclipse)|io\.(?:netty|opentelemetry|grpc)|com\.amazonaws|software\.amazon|System|Microsoft|Amazon)\./;

function isLibraryFrame({ path, label }: StackFrame): boolean {
  return libraryPath.test(path ?? '') || libraryLabel.test(label ?? '');
}
