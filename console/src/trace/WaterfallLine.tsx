import type { CSSProperties, JSX } from 'react';
import { formatDuration } from '../format/duration.ts';
import { OutcomeBadge } from '../outcome/OutcomeBadge.tsx';
import { Icon } from '../shell/Icon.tsx';
import styles from './Waterfall.module.css';
import { place } from './axis.ts';
import type { TimeView } from './axis.ts';
import { hasCause } from './exceptions.ts';
import { linksOf } from './fields.ts';
import { useLinksTo } from './linked.ts';
import { ownTime } from './intervals.ts';
import type { Interval } from './intervals.ts';
import { spellRow } from './rows.ts';
import type { WaterfallRow } from './rows.ts';
import type { TraceNode, TraceTree } from './tree.ts';

const serviceColours = 8;
/** Pieces of own time drawn in one bar; finer ones would not be seen. */
const piecesMax = 60;
const indent = 14;
/** Deeper levels are not indented further, so that names keep some room. */
const indentLevelsMax = 14;

interface LineProps {
  readonly row: WaterfallRow;
  readonly index: number;
  readonly top: number;
  readonly tree: TraceTree;
  readonly view: TimeView;
  readonly now: number;
  readonly critical: readonly Interval[] | undefined;
  readonly found: boolean;
  readonly chosen: boolean;
  readonly onChoose: (node: TraceNode) => void;
  readonly onToggle: (row: WaterfallRow) => void;
}

export function WaterfallLine(props: LineProps): JSX.Element {
  const { row, index, tree, chosen } = props;
  const { node } = row;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={row.childCount > 0 ? row.expanded : undefined}
      aria-selected={chosen}
      aria-label={spellRow(row, tree.start)}
      tabIndex={chosen ? 0 : -1}
      className={styles.row}
      data-outcome={node.outcome}
      data-inferred={node.inferred}
      data-found={props.found}
      // The one value that CSS cannot know; set through the DOM, which the content security policy allows.
      style={
        {
          transform: `translateY(${props.top}px)`,
          '--service': `var(--service-${node.serviceIndex % serviceColours})`,
        } as CSSProperties
      }
      onClick={() => props.onChoose(node)}
      onDoubleClick={() => row.childCount > 0 && props.onToggle(row)}
    >
      <Name {...props} />
      <span role="gridcell" className={styles.status}>
        {node.outcome !== 'ok' || node.httpStatus !== undefined ? (
          <OutcomeBadge outcome={node.outcome} status={node.httpStatus} />
        ) : undefined}
      </span>
      <span role="gridcell" className={styles.time}>
        <Bar {...props} />
      </span>
    </div>
  );
}

function Name({ row, tree, onToggle }: LineProps): JSX.Element {
  const { node } = row;
  const service = tree.services[node.serviceIndex];
  const links = linksOf(node).length + useLinksTo(node).length;
  return (
    <span
      role="gridcell"
      className={styles.name}
      style={{ paddingLeft: Math.min(row.level - 1, indentLevelsMax) * indent }}
    >
      {row.childCount > 0 ? (
        <span
          className={styles.toggle}
          data-expanded={row.expanded}
          aria-hidden="true"
          onClick={(event) => {
            event.stopPropagation();
            onToggle(row);
          }}
        >
          <Icon name="chevron" size={12} />
        </span>
      ) : (
        <span className={styles.toggle} />
      )}
      <span className={styles.colour} title={service?.name} />
      <span className={styles.text} title={[node.name, node.detail].filter(Boolean).join(' ')}>
        <strong data-segment={!node.subsegment}>{node.name}</strong>{' '}
        <span className={styles.detail}>{node.detail}</span>
      </span>
      {row.childCount > 0 && !row.expanded ? <span className={styles.tag}>{row.childCount}</span> : undefined}
      {node.inferred ? <span className={styles.tag}>inferred</span> : undefined}
      {hasCause(node) ? (
        <span className={styles.exception} title="An exception was recorded">
          !
        </span>
      ) : undefined}
      {links > 0 ? <span className={styles.tag}>{links === 1 ? 'link' : `${links} links`}</span> : undefined}
    </span>
  );
}

function Bar({ row, tree, view, now, critical }: LineProps): JSX.Element | undefined {
  const { node } = row;
  const end = node.end ?? Math.max(now, node.start);
  const fromStart = ({ from, to }: Interval): TimeView => ({ from: from - tree.start, to: to - tree.start });
  const bar = place(fromStart({ from: node.start, to: end }), view);
  if (!bar) return undefined;
  const pieces = ownTime(node, now).slice(0, piecesMax).map(fromStart);
  return (
    <>
      <span
        className={styles.bar}
        data-open={node.end === undefined}
        style={{ left: `${bar.left}%`, width: `${bar.width}%` }}
      />
      {node.end === undefined
        ? undefined
        : pieces.map((piece) => <Piece key={piece.from} piece={piece} view={view} className={styles.own} />)}
      {critical?.map((piece) => (
        <Piece key={piece.from} piece={fromStart(piece)} view={view} className={styles.critical} />
      ))}
      <span className={styles.duration} style={{ left: `calc(${bar.left + bar.width}% + 6px)` }}>
        {node.end !== undefined ? formatDuration(end - node.start) : now > tree.end ? 'running' : 'no end'}
      </span>
    </>
  );
}

function Piece({
  piece,
  view,
  className,
}: {
  readonly piece: TimeView;
  readonly view: TimeView;
  readonly className: string | undefined;
}): JSX.Element | undefined {
  const placed = place(piece, view);
  return placed && placed.width > 0 ? (
    <span className={className} style={{ left: `${placed.left}%`, width: `${placed.width}%` }} />
  ) : undefined;
}
