import { useState } from 'react';
import type { JSX } from 'react';
import { formatCount, formatPercent, formatRate } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { Ring } from '../outcome/Ring.tsx';
import { spellOutcomes } from '../outcome/outcome.ts';
import type { Outcome, OutcomeCounts } from '../outcome/outcome.ts';
import styles from './ServiceTable.module.css';
import { shortName, typeLabel } from './graph.ts';
import type { MapGraph, MapNode } from './graph.ts';
import { percentile } from './histogram.ts';

interface Column {
  readonly id: string;
  readonly label: string;
  readonly number: boolean;
  readonly key: (node: MapNode) => string | number;
  readonly print: (node: MapNode, rangeSeconds: number) => string;
}

const columns: readonly Column[] = [
  {
    id: 'type',
    label: 'Type',
    number: false,
    key: ({ type }) => typeLabel(type),
    print: ({ type }) => typeLabel(type),
  },
  {
    id: 'rate',
    label: 'Rate',
    number: true,
    key: ({ counts }) => counts.total,
    print: ({ counts }, range) => formatRate(counts.total, range),
  },
  {
    id: 'requests',
    label: 'Requests',
    number: true,
    key: ({ counts }) => counts.total,
    print: ({ counts }) => formatCount(counts.total),
  },
  shareColumn('faults', 'fault'),
  shareColumn('errors', 'error'),
  shareColumn('throttles', 'throttle'),
  secondsColumn('average', 'Average', (node) => node.averageResponseTime),
  secondsColumn('p95', 'p95', ({ responseTimes }) => percentile(responseTimes, 0.95)),
];
const nameColumn: Column = {
  id: 'name',
  label: 'Service',
  number: false,
  key: ({ name }) => name,
  print: ({ name }) => name,
};

/** The map as a table: the same nodes, for those who read better than they see. Clients have nothing to count and are left out. */
export function ServiceTable(props: {
  readonly graph: MapGraph;
  readonly rangeSeconds: number;
  readonly selected: string | undefined;
  readonly onSelect: (key: string) => void;
  /** Fewer columns where there is little room. */
  readonly only?: readonly string[];
}): JSX.Element {
  const [sort, setSort] = useState<{ readonly column: Column; readonly down: boolean }>({
    column: faultsFirst,
    down: true,
  });
  const shown = columns.filter(({ id }) => props.only?.includes(id) ?? true);
  const nodes = props.graph.nodes
    .filter(({ client }) => !client)
    .toSorted((a, b) => compare(sort.column, a, b) * (sort.down ? -1 : 1));
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          {[nameColumn, ...shown].map((column) => (
            <th
              key={column.id}
              scope="col"
              data-number={column.number}
              aria-sort={sort.column.id === column.id ? (sort.down ? 'descending' : 'ascending') : undefined}
            >
              <button
                type="button"
                data-kind="quiet"
                onClick={() => setSort({ column, down: sort.column.id === column.id ? !sort.down : column.number })}
              >
                {column.label}
                <span aria-hidden="true">{sort.column.id === column.id ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr key={node.key} data-selected={node.key === props.selected}>
            <th scope="row">
              <button type="button" data-kind="quiet" className={styles.name} onClick={() => props.onSelect(node.key)}>
                <Ring counts={node.counts} size={20} stroke={4} />
                <span title={node.name}>{shortName(node.name)}</span>
                <span className="visually-hidden">, {spellOutcomes(node.counts)}</span>
              </button>
            </th>
            {shown.map((column) => (
              <td key={column.id} data-number={column.number} data-zero={column.number && column.key(node) === 0}>
                {column.print(node, props.rangeSeconds)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a page opens with: the most failing first, the busiest among equals. */
const faultsFirst: Column = {
  id: 'health',
  label: '',
  number: true,
  key: ({ counts }) => shareOf(counts, 'fault') * 1e9 + counts.total,
  print: () => '',
};

function shareColumn(id: string, outcome: Outcome): Column {
  return {
    id,
    label: `${id.charAt(0).toUpperCase()}${id.slice(1)}`,
    number: true,
    key: ({ counts }) => shareOf(counts, outcome),
    print: ({ counts }) => formatPercent(shareOf(counts, outcome)),
  };
}

function shareOf(counts: OutcomeCounts, outcome: Outcome): number {
  return counts.total === 0 ? 0 : counts[outcome] / counts.total;
}

function secondsColumn(id: string, label: string, secondsOf: (node: MapNode) => number | undefined): Column {
  return {
    id,
    label,
    number: true,
    key: (node) => secondsOf(node) ?? -1,
    print: (node) => {
      const seconds = secondsOf(node);
      return seconds === undefined ? '–' : formatDuration(seconds);
    },
  };
}

function compare({ key }: Column, a: MapNode, b: MapNode): number {
  const [left, right] = [key(a), key(b)];
  return typeof left === 'number' && typeof right === 'number'
    ? left - right
    : String(left).localeCompare(String(right));
}
