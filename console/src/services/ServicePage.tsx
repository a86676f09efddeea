import { Link, useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { JSX } from 'react';
import { useExceptions, useMap, useServiceSeries } from '../api/queries.ts';
import { edgeFilter, responseTimeCondition, serviceFilter } from '../filter/expression.ts';
import { countOf, formatCount, formatPercent, formatRate } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { ExceptionTable } from '../exceptions/ExceptionTable.tsx';
import { Histogram } from '../map/Histogram.tsx';
import { TracesLink } from '../map/TracesLink.tsx';
import { toMapGraph, typeLabel } from '../map/graph.ts';
import type { MapEdge, MapGraph, MapNode } from '../map/graph.ts';
import { percentile } from '../map/histogram.ts';
import { spellRange } from '../range/range.ts';
import { keepQuestion, useChangeSearch, usePageSearch } from '../search.ts';
import { RequestChart } from '../series/RequestChart.tsx';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { Page } from '../shell/Page.tsx';
import { type Column, Table } from '../table/Table.tsx';
import styles from './ServicePage.module.css';

/** One service: how it did over time, who calls it and whom it calls, and what went wrong in it. */
export function ServicePage(): JSX.Element {
  const { name } = useParams({ from: '/services/$name' });
  const search = usePageSearch();
  const change = useChangeSearch();
  const live = isLive(search);
  const { data, error, refetch } = useMap(search, { live });
  const graph = useMemo(() => (data ? toMapGraph(data.Services) : undefined), [data]);
  // A name may stand for nodes of several types or accounts.
  const nodes = graph?.nodes.filter((node) => node.name === name && !node.client) ?? [];
  const node = nodes.find(({ key }) => key === search.select) ?? nodes[0];
  const { data: series } = useServiceSeries(node, search, { live });
  const { data: failures } = useExceptions(
    { ...search, filter: node ? serviceFilter(node) : '' },
    { live, enabled: node !== undefined },
  );
  return (
    <Page
      title={name}
      lead={node && typeLabel(node.type)}
      beside={
        <Link to="/services" search={keepQuestion}>
          All services
        </Link>
      }
    >
      {error && !graph ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!graph && !error ? <Loading what="the service" /> : undefined}
      {graph && !node ? (
        <EmptyState title={`${name} sent nothing in ${spellRange(search)}`}>
          <p>No trace of this time holds a segment of it, nor a call to it.</p>
        </EmptyState>
      ) : undefined}
      {nodes.length > 1 ? (
        <p className={styles.alike}>
          {nodes.map(({ key, type, accountId }) => (
            <button
              key={key}
              type="button"
              aria-pressed={key === node?.key}
              onClick={() => change({ select: key }, { replace: true })}
            >
              {[typeLabel(type), accountId].filter(Boolean).join(', ')}
            </button>
          ))}
        </p>
      ) : undefined}
      {graph && data && node ? (
        <div className={styles.service}>
          <Numbers node={node} seconds={data.EndTime - data.StartTime} />
          <p className={styles.links}>
            <TracesLink filter={serviceFilter(node)} primary>
              View traces
            </TracesLink>
            <Link to="/map" search={(before) => ({ ...keepQuestion(before), select: node.key })}>
              Show in the map
            </Link>
          </p>
          {series ? (
            <RequestChart periods={series.Periods} periodSeconds={series.PeriodSeconds} name={name} />
          ) : undefined}
          {node.responseTimes.length > 0 ? (
            <Histogram
              key={node.key}
              title="Response times"
              entries={node.responseTimes}
              filterOf={(from, to) => serviceFilter(node, responseTimeCondition({ from, to }))}
            />
          ) : undefined}
          <Calls title="Called by" graph={graph} edges={graph.edges.filter(({ to }) => to === node.key)} end="from" />
          <Calls title="Calls" graph={graph} edges={graph.edges.filter(({ from }) => from === node.key)} end="to" />
          {failures && failures.Exceptions.length > 0 ? (
            <section>
              <h2>Exceptions in traces through it</h2>
              <ExceptionTable exceptions={failures.Exceptions} />
            </section>
          ) : undefined}
        </div>
      ) : undefined}
    </Page>
  );
}

function Numbers({ node, seconds }: { readonly node: MapNode; readonly seconds: number }): JSX.Element {
  const { counts, averageResponseTime, responseTimes } = node;
  const spell = (value: number | undefined): string => (value === undefined ? '–' : formatDuration(value));
  const share = (count: number): string => formatPercent(counts.total === 0 ? 0 : count / counts.total);
  const numbers: readonly (readonly [label: string, value: string])[] = [
    ['Requests', formatCount(counts.total)],
    ['Rate', formatRate(counts.total, seconds)],
    ['Faults', share(counts.fault)],
    ['Errors', share(counts.error)],
    ['Throttles', share(counts.throttle)],
    ['Average', spell(averageResponseTime)],
    ['p50', spell(percentile(responseTimes, 0.5))],
    ['p95', spell(percentile(responseTimes, 0.95))],
    ['p99', spell(percentile(responseTimes, 0.99))],
  ];
  return (
    <dl className={styles.numbers}>
      {numbers.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface Call {
  readonly edge: MapEdge;
  readonly other: MapNode;
  readonly filter: string;
}

const columns: readonly Column<Call>[] = [
  {
    id: 'service',
    label: 'Service',
    key: ({ other }) => other.name,
    show: ({ other, edge }) => (
      <>
        {other.client ? (
          `${other.name} (client)`
        ) : (
          <Link
            to="/services/$name"
            params={{ name: other.name }}
            search={(before) => ({ ...keepQuestion(before), select: other.key })}
          >
            {other.name}
          </Link>
        )}
        {edge.link ? ' through a queue' : ''}
      </>
    ),
  },
  {
    id: 'requests',
    label: 'Requests',
    number: true,
    key: ({ edge }) => edge.counts.total,
    show: ({ edge }) => formatCount(edge.counts.total),
  },
  {
    id: 'faults',
    label: 'Faults',
    number: true,
    key: ({ edge }) => edge.counts.fault,
    show: ({ edge }) => formatCount(edge.counts.fault),
  },
  {
    id: 'average',
    label: 'Average',
    number: true,
    key: ({ edge }) => edge.averageResponseTime ?? -1,
    show: ({ edge }) => (edge.averageResponseTime === undefined ? '–' : formatDuration(edge.averageResponseTime)),
  },
  { id: 'traces', label: 'Traces', show: ({ filter }) => <TracesLink filter={filter}>View traces</TracesLink> },
];

function Calls(props: {
  readonly title: string;
  readonly graph: MapGraph;
  readonly edges: readonly MapEdge[];
  readonly end: 'from' | 'to';
}): JSX.Element | undefined {
  const { title, graph, edges, end } = props;
  const nodes = new Map(graph.nodes.map((node) => [node.key, node]));
  const calls = edges.flatMap((edge): Call[] => {
    const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
    if (!from || !to) return [];
    return [{ edge, other: end === 'from' ? from : to, filter: edge.link ? serviceFilter(to) : edgeFilter(from, to) }];
  });
  if (calls.length === 0) return undefined;
  return (
    <section>
      <h2>
        {title} {countOf(calls.length, 'service')}
      </h2>
      <Table label={title} columns={columns} rows={calls} rowKey={({ edge }) => edge.key} sortedBy="requests" />
    </section>
  );
}
