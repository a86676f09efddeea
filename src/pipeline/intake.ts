import type { Batch } from './batch.ts';
import { splitBatch } from './batches.ts';
import type { Intake, Processor } from './component.ts';
import type { DurableQueue } from './queue.ts';

/** The door of the queue for one receiver: what it consumes waits for every destination of its pipelines. */
export function createIntake(
  queue: DurableQueue,
  destinations: readonly string[],
  /** Of its pipelines; one of them may have a reason to take nothing at the moment. */
  processors: readonly Pick<Processor, 'refusal'>[] = [],
  /** What must not come to rest on disk is taken out by it. */
  redact: (batch: Batch) => Batch = (batch) => batch,
): Intake {
  const guards = processors.filter(({ refusal }) => refusal !== undefined);
  return {
    async consume(batch: Batch): Promise<void> {
      for (const guard of guards) {
        const refusal = guard.refusal?.();
        if (refusal) throw refusal;
      }
      // The pieces of a large batch are put in one turn, so they share a commit. If one of them is
      // refused the sender repeats the batch, and the store keeps one copy of each span.
      await Promise.all(splitBatch(redact(batch)).map((piece) => queue.enqueue(piece, destinations)));
    },
  };
}
