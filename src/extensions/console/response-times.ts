import { secondsText } from '../../model/index.ts';
import type { TraceSelection } from '../../pipeline/store.ts';
import type { TraceReader } from '../../reader/index.ts';

export interface ResponseTimesAnswer {
  /** Epoch seconds. */
  readonly StartTime: number;
  readonly EndTime: number;
  /** Of equal width, from StartTime to EndTime. */
  readonly ColumnCount: number;
  readonly Cells: readonly ResponseTimeCellAnswer[];
}

/** Traces that started in the same column, took about as long, and ended alike. */
export interface ResponseTimeCellAnswer {
  readonly Column: number;
  /** It begins at 10 ** (Bucket / 64) seconds. */
  readonly Bucket: number;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly Count: number;
}

const columnCount = 80n;

/** How long all traces took that match, however many there are. */
export async function responseTimesAnswer(
  reader: TraceReader,
  selection: TraceSelection,
): Promise<ResponseTimesAnswer> {
  const { fromNs, toNs } = selection;
  const columnNs = (toNs - fromNs) / columnCount + 1n;
  const cells = await reader.responseTimes({ ...selection, columnNs });
  return {
    StartTime: Number(secondsText(fromNs)),
    EndTime: Number(secondsText(toNs)),
    ColumnCount: Number(columnCount),
    Cells: cells.map((cell) => ({
      Column: Number((cell.fromNs - fromNs) / columnNs),
      Bucket: cell.bucket,
      HasFault: cell.fault,
      HasError: cell.error,
      HasThrottle: cell.throttle,
      Count: cell.traces,
    })),
  };
}
