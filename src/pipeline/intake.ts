import type { Batch } from './batch.ts';
import { splitBatch } from './batches.ts';
import type { Intake } from './component.ts';
import type { DurableQueue } from './queue.ts';

/** The door of the queue for one receiver: what it consumes waits for every destination of its pipelines. */
export function createIntake(queue: DurableQueue, destinations: readonly string[]): Intake {
  return {
    async consume(batch: Batch): Promise<void> {
      // The pieces of a large batch are put in one turn, so they share a commit. If one of them is
      // refused the sender repeats the batch, and the store keeps one copy of each span.
      await Promise.all(splitBatch(batch).map((piece) => queue.enqueue(piece, destinations)));
    },
  };
}
