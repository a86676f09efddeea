import { Handle, Position } from '@xyflow/react';
import type { Node, NodeProps } from '@xyflow/react';
import { Fragment, memo } from 'react';
import type { JSX } from 'react';
import { countOf, formatPercent, formatRate } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { Ring } from '../outcome/Ring.tsx';
import { outcomes } from '../outcome/outcome.ts';
import styles from './ServiceNode.module.css';
import { shortName, typeLabel } from './graph.ts';
import type { MapNode } from './graph.ts';
import { nodeSize } from './nodeSize.ts';

/** A longer latency (`59 m 12 s`) is set smaller, or it would lie on the ring. */
const latencyCharactersMax = 7;
const handleStyle = { top: nodeSize.ringCentre };

export interface ServiceNodeData extends Record<string, unknown> {
  readonly node: MapNode;
  readonly rangeSeconds: number | undefined;
}

/** A ring of outcomes with latency and rate inside, the name below, and a letter for each outcome that is not ok. */
export const ServiceNode = memo(function ServiceNode({
  data,
  selected,
}: NodeProps<Node<ServiceNodeData, 'service'>>): JSX.Element {
  const { node, rangeSeconds } = data;
  return (
    <div className={styles.node} data-selected={selected} data-inferred={node.inferred}>
      <Handle
        type="target"
        position={Position.Left}
        className={styles.handle ?? ''}
        style={handleStyle}
        isConnectable={false}
      />
      <div className={styles.ring}>
        <Ring counts={node.counts} size={2 * nodeSize.ringRadius} stroke={5} />
        <div className={styles.inside}>
          {node.client ? (
            <span className={styles.client}>Client</span>
          ) : (
            <Traffic node={node} rangeSeconds={rangeSeconds} />
          )}
        </div>
        <Letters node={node} />
      </div>
      <p className={styles.name} title={node.name}>
        <Breakable name={shortName(node.name)} />
      </p>
      <p className={styles.type}>
        {node.members ? `${countOf(node.members.length, 'node')} folded` : typeLabel(node.type)}
      </p>
      <Handle
        type="source"
        position={Position.Right}
        className={styles.handle ?? ''}
        style={handleStyle}
        isConnectable={false}
      />
    </div>
  );
});

function Traffic({ node, rangeSeconds }: ServiceNodeData): JSX.Element {
  const latency = node.averageResponseTime === undefined ? '–' : formatDuration(node.averageResponseTime);
  return (
    <>
      <span className={styles.latency} data-long={latency.length > latencyCharactersMax}>
        {latency}
      </span>
      <span className={styles.rate}>
        {rangeSeconds === undefined ? countOf(node.counts.total, 'call') : formatRate(node.counts.total, rangeSeconds)}
      </span>
    </>
  );
}

function Letters({ node }: { readonly node: MapNode }): JSX.Element {
  return (
    <div className={styles.letters}>
      {outcomes
        .filter(({ outcome }) => outcome !== 'ok' && node.counts[outcome] > 0)
        .toReversed()
        .map(({ outcome, letter }) => (
          <span key={outcome} data-outcome={outcome}>
            {letter} {formatPercent(node.counts[outcome] / node.counts.total)}
          </span>
        ))}
    </div>
  );
}

/** A name that may go on in a second line after a mark, as `stock@stock-db.` `shop.example`. */
function Breakable({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      {name.split(/(?<=[-@._/:])/).map((part, at) => (
        <Fragment key={at}>
          {at > 0 ? <wbr /> : undefined}
          {part}
        </Fragment>
      ))}
    </>
  );
}
