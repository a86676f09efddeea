import type { EdgeAnswer, HistogramAnswer, ServiceAnswer } from '../api/answers.ts';
import { countOutcomes } from '../outcome/outcome.ts';
import type { OutcomeCounts } from '../outcome/outcome.ts';

/** The service graph with keys that stay the same from one answer to the next, which ReferenceIds do not. */
export interface MapGraph {
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
}

export interface MapNode {
  readonly key: string;
  readonly name: string;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
  readonly client: boolean;
  /** Known from its callers only. */
  readonly inferred: boolean;
  readonly root: boolean;
  readonly counts: OutcomeCounts;
  /** Seconds; undefined when nothing was counted. */
  readonly averageResponseTime: number | undefined;
  readonly responseTimes: readonly HistogramAnswer[];
  /** What was folded into this one, the busiest first; undefined for a node of the graph itself. */
  readonly members?: readonly MapNode[];
}

export interface MapEdge {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Joins two traces through a queue; it has ages instead of response times. */
  readonly link: boolean;
  readonly counts: OutcomeCounts;
  readonly averageResponseTime: number | undefined;
  readonly responseTimes: readonly HistogramAnswer[];
  /** Seconds between send and receive. */
  readonly eventAges: readonly HistogramAnswer[];
}

/** Nodes and edges in an order that depends on names only, so that the picture stays when the answer is fetched again. */
export function toMapGraph(services: readonly ServiceAnswer[]): MapGraph {
  const shown = services.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const keys = new Map(shown.map((service) => [service.ReferenceId, keyOf(service)]));
  return {
    nodes: shown.map(toNode),
    edges: shown.flatMap((service) =>
      service.Edges.flatMap((edge) => toEdge(service, edge, keys.get(edge.ReferenceId))),
    ),
  };
}

/** `AWS::DynamoDB::Table` as `DynamoDB Table`; undefined types are services that did not say. */
export function typeLabel(type: string | undefined): string {
  if (type === undefined) return 'Service';
  const known = typeLabels.get(type);
  return known ?? type.replace(/^AWS::/, '').replaceAll('::', ' ');
}

const typeLabels = new Map([
  ['client', 'Client'],
  ['client::Synthetics', 'Canary'],
  ['remote', 'Remote service'],
  ['Database::SQL', 'SQL database'],
]);

/** The last part of a queue URL or ARN, whole names otherwise: what tells nodes apart in little room. */
export function shortName(name: string): string {
  if (/^https?:\/\/sqs\./.test(name) || name.startsWith('arn:')) return name.split(/[/:]/).at(-1) || name;
  return name;
}

function keyOf(service: ServiceAnswer): string {
  return [service.Type ?? '', service.Name, service.AccountId ?? ''].map(encodeURIComponent).join('|');
}

function toNode(service: ServiceAnswer): MapNode {
  const counts = countOutcomes(service.SummaryStatistics);
  const client = service.Type === 'client' || service.Type === 'client::Synthetics';
  return {
    key: keyOf(service),
    name: service.Name,
    type: service.Type,
    accountId: service.AccountId,
    client,
    inferred: !client && service.State === 'unknown',
    root: service.Root === true,
    counts,
    averageResponseTime: average(service.SummaryStatistics?.TotalResponseTime, counts.total),
    responseTimes: service.ResponseTimeHistogram,
  };
}

function toEdge(from: ServiceAnswer, edge: EdgeAnswer, to: string | undefined): MapEdge[] {
  if (to === undefined) return [];
  const counts = countOutcomes(edge.SummaryStatistics);
  const link = edge.EdgeType === 'link';
  return [
    {
      key: `${keyOf(from)}>${to}${link ? '>link' : ''}`,
      from: keyOf(from),
      to,
      link,
      counts,
      averageResponseTime: average(link ? undefined : edge.SummaryStatistics.TotalResponseTime, counts.total),
      responseTimes: edge.ResponseTimeHistogram,
      eventAges: edge.ReceivedEventAgeHistogram ?? [],
    },
  ];
}

function average(total: number | undefined, count: number): number | undefined {
  return count === 0 || total === undefined ? undefined : total / count;
}
