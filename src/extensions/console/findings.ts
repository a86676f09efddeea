import type { Trace } from '../../model/index.ts';
import { toXrayTraceId } from '../../model/index.ts';
import type { Context } from '../../pipeline/component.ts';
import { diagnose, type Finding } from '../../query/index.ts';
import { traceCharactersMax } from '../../reader/index.ts';

/** As a finding, of what is not in the trace, or not in the answer, and so nothing that its documents say. */
type OuterFinding = Omit<Finding, 'code'> & { readonly code: 'REJECTED' | 'TOO_LARGE' };

/** What the doctor finds in the trace, after what only this process knows. */
export function findingsOf({
  trace,
  isCut,
  context,
}: {
  readonly trace: Trace;
  /** The answer lacks segments. */
  readonly isCut: boolean;
  readonly context: Context;
}): readonly (Finding | OuterFinding)[] {
  return [...rejectedOf(trace.traceId, context), ...(isCut ? [tooLarge] : []), ...diagnose(trace, context.nowNs())];
}

/** Documents of the trace that were refused a short while ago: nothing of them is in the trace. */
function rejectedOf(traceId: string, { status }: Context): readonly OuterFinding[] {
  const names = [traceId, toXrayTraceId(traceId)];
  const rejections = status.rejections.filter(({ sample }) =>
    names.some((name) => sample.toLowerCase().includes(name)),
  );
  return rejections.map(({ component, reason, sample }) => ({
    code: 'REJECTED',
    severity: 'problem',
    title: `${component} rejected a document of this trace`,
    evidence: `${reason} It began: ${sample}`,
    fix: 'Nothing of it is in the trace. Mend what the reason names at its sender.',
    ids: [],
  }));
}

const tooLarge: OuterFinding = {
  code: 'TOO_LARGE',
  severity: 'problem',
  title: 'The trace is too large to be shown whole',
  evidence: `Its documents are more than ${traceCharactersMax / 1_000_000} million characters; what is over is not shown. The store has all of it.`,
  fix: 'A trace this large is usually a loop, or a worker that never begins a new one: let each message or batch begin a trace of its own, and record less on each span.',
  ids: [],
};
