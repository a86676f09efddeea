import type { JSX } from 'react';
import type { Filter } from '../../../src/query/index.ts';
import type { HistogramAnswer } from '../api/answers.ts';
import { edgeFilter, outcomeCondition, responseTimeCondition, serviceFilter } from '../filter/expression.ts';
import { formatCount, formatPercent, formatRate } from '../format/count.ts';
import { formatDuration } from '../format/duration.ts';
import { outcomes } from '../outcome/outcome.ts';
import type { Outcome, OutcomeCounts } from '../outcome/outcome.ts';
import { useChangeSearch, usePageSearch } from '../search.ts';
import { Icon } from '../shell/Icon.tsx';
import { Histogram } from './Histogram.tsx';
import styles from './MapPanel.module.css';
import { TracesLink } from './TracesLink.tsx';
import { typeLabel } from './graph.ts';
import type { MapEdge, MapGraph, MapNode } from './graph.ts';
import { percentile } from './histogram.ts';

const membersShownMax = 100;

interface PanelProps {
  readonly graph: MapGraph;
  readonly rangeSeconds: number;
  readonly selected: string | undefined;
  readonly onClose: () => void;
}

/** What is known about the chosen node or call, and the way to its traces. */
export function MapPanel({ graph, rangeSeconds, selected, onClose }: PanelProps): JSX.Element | undefined {
  const chosen = describe(graph, selected);
  if (!chosen) return undefined;
  const { title, subtitle, facts, filterOf } = chosen;
  return (
    <aside className={styles.panel} aria-label="Details">
      <header>
        <div>
          <h2>{title}</h2>
          <p className={styles.subtitle}>{subtitle}</p>
        </div>
        <button type="button" data-kind="icon" aria-label="Close details" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {chosen.members ? <Members of={selected ?? ''} members={chosen.members} /> : undefined}
      {facts.map(({ label, value }) => (
        <p key={label} className={styles.fact}>
          <span>{label}</span> {value}
        </p>
      ))}
      {chosen.counts.total > 0 ? (
        <>
          <Statistics
            counts={chosen.counts}
            average={chosen.average}
            times={chosen.times}
            rangeSeconds={rangeSeconds}
          />
          <Outcomes counts={chosen.counts} filterOf={filterOf} />
          <Histogram
            key={selected}
            title="Response times"
            entries={chosen.times}
            filterOf={filterOf && ((from, to) => filterOf(responseTimeCondition({ from, to })))}
          />
        </>
      ) : undefined}
      {chosen.ages.length > 0 ? (
        <Histogram key={`${selected}-age`} title="Age of received events" entries={chosen.ages} />
      ) : undefined}
      {filterOf ? (
        <>
          <TracesLink filter={filterOf()} primary>
            View traces
          </TracesLink>
          <code className={styles.filter}>{filterOf()}</code>
        </>
      ) : undefined}
    </aside>
  );
}

interface Chosen {
  readonly title: string;
  readonly subtitle: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly counts: OutcomeCounts;
  readonly average: number | undefined;
  readonly times: readonly HistogramAnswer[];
  readonly ages: readonly HistogramAnswer[];
  /** Undefined for what is folded: its members have to be shown first. */
  readonly filterOf: ((block?: Filter) => string) | undefined;
  /** Of a folded node. */
  readonly members?: readonly MapNode[] | undefined;
}

function describe(graph: MapGraph, selected: string | undefined): Chosen | undefined {
  const node = graph.nodes.find(({ key }) => key === selected);
  if (node) return describeNode(node);
  const edge = graph.edges.find(({ key }) => key === selected);
  const [from, to] = [
    graph.nodes.find(({ key }) => key === edge?.from),
    graph.nodes.find(({ key }) => key === edge?.to),
  ];
  return edge && from && to ? describeEdge(edge, from, to) : undefined;
}

function describeNode(node: MapNode): Chosen {
  return {
    title: node.members ? `${node.name} (${node.members.length})` : node.name,
    members: node.members,
    subtitle: [typeLabel(node.type), node.inferred ? 'inferred from its callers' : ''].filter(Boolean).join(', '),
    facts: node.accountId ? [{ label: 'Account', value: node.accountId }] : [],
    counts: node.counts,
    average: node.averageResponseTime,
    times: node.responseTimes,
    ages: [],
    filterOf: node.members ? undefined : (block) => serviceFilter(node, block),
  };
}

function describeEdge(edge: MapEdge, from: MapNode, to: MapNode): Chosen {
  return {
    title: `${from.name} → ${to.name}`,
    subtitle: edge.link ? 'Link between traces' : 'Calls, as the caller sees them',
    facts: [],
    counts: edge.counts,
    average: edge.averageResponseTime,
    times: edge.responseTimes,
    ages: edge.eventAges,
    // A link joins two traces, and no single trace has both ends.
    filterOf:
      from.members || to.members
        ? undefined
        : (block) => (edge.link ? serviceFilter(to, block) : edgeFilter(from, to, block)),
  };
}

function Members(props: { readonly of: string; readonly members: readonly MapNode[] }): JSX.Element {
  const { open } = usePageSearch();
  const change = useChangeSearch();
  return (
    <section>
      <button
        type="button"
        data-kind="primary"
        onClick={() => change({ open: [...(open?.split('\n') ?? []), props.of].join('\n'), select: undefined })}
      >
        Show them in the map
      </button>
      <ul className={styles.members} aria-label="Folded into this one">
        {props.members.slice(0, membersShownMax).map(({ key, name, counts }) => (
          <li key={key}>
            <span>{name}</span> <span>{formatCount(counts.total)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Statistics(props: {
  readonly counts: OutcomeCounts;
  readonly average: number | undefined;
  readonly times: readonly HistogramAnswer[];
  readonly rangeSeconds: number;
}): JSX.Element {
  const { counts, average, times, rangeSeconds } = props;
  const numbers: readonly (readonly [string, string | undefined])[] = [
    ['Requests', formatCount(counts.total)],
    ['Rate', formatRate(counts.total, rangeSeconds)],
    ['Average', average === undefined ? undefined : formatDuration(average)],
    ...([50, 95, 99] as const).map((share): readonly [string, string | undefined] => {
      const value = percentile(times, share / 100);
      return [`p${share}`, value === undefined ? undefined : formatDuration(value)];
    }),
  ];
  return (
    <dl className={styles.numbers}>
      {numbers.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}

function Outcomes({
  counts,
  filterOf,
}: {
  readonly counts: OutcomeCounts;
  readonly filterOf: Chosen['filterOf'];
}): JSX.Element {
  return (
    <ul className={styles.outcomes}>
      {outcomes.map(({ outcome, letter, label }) => (
        <li key={outcome}>
          <span className={styles.letter} data-outcome={outcome} aria-hidden="true">
            {letter}
          </span>
          <span className={styles.label}>{label}</span>
          <meter
            min={0}
            max={1}
            value={counts[outcome] / counts.total}
            aria-label={`Share of ${label.toLowerCase()}`}
            data-outcome={outcome}
          />
          <span className={styles.share}>{formatPercent(counts[outcome] / counts.total)}</span>
          <OutcomeTraces outcome={outcome} count={counts[outcome]} filterOf={filterOf} />
        </li>
      ))}
    </ul>
  );
}

function OutcomeTraces({
  outcome,
  count,
  filterOf,
}: {
  readonly outcome: Outcome;
  readonly count: number;
  readonly filterOf: Chosen['filterOf'];
}): JSX.Element {
  if (count === 0 || !filterOf) return <span className={styles.zero}>{formatCount(count)}</span>;
  return (
    <TracesLink filter={filterOf(outcomeCondition(outcome))} label={`View the traces with ${outcome}`}>
      {formatCount(count)}
    </TracesLink>
  );
}
