import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { JSX } from 'react';
import type { LinkAnswer } from '../api/answers.ts';
import { CopyBlock } from '../copy/CopyBlock.tsx';
import { annotationFilter } from '../filter/expression.ts';
import { formatDuration } from '../format/duration.ts';
import { formatDateTime } from '../format/time.ts';
import { JsonTree } from '../json/JsonTree.tsx';
import { typeLabel } from '../map/graph.ts';
import { OutcomeBadge } from '../outcome/OutcomeBadge.tsx';
import { keepQuestion, useChangeSearch, usePageSearch } from '../search.ts';
import { Tabs } from '../shell/Tabs.tsx';
import type { Tab } from '../shell/Tabs.tsx';
import { useDraggedWidth } from '../shell/useDraggedWidth.tsx';
import styles from './Details.module.css';
import { Exceptions } from './Exceptions.tsx';
import { FieldTable } from './FieldTable.tsx';
import { NodeButton } from './NodeButton.tsx';
import { exactAnnotations, exactText } from './exact.ts';
import { exceptionsOf } from './exceptions.ts';
import {
  annotationsOf,
  linksOf,
  metadataOf,
  openTelemetryOf,
  requestFields,
  resourceFields,
  sqlFields,
} from './fields.ts';
import type { Field } from './fields.ts';
import { ownTime, totalOf } from './intervals.ts';
import { useLinksTo } from './linked.ts';
import { formatSql } from './sql.ts';
import type { TraceNode, TraceTree } from './tree.ts';

interface DetailsProps {
  readonly node: TraceNode;
  readonly tree: TraceTree;
  readonly now: number;
  readonly onChoose: (node: TraceNode) => void;
}

const panelWidth = {
  kept: 'raybridge.details',
  label: 'Width of the details',
  edge: 'left',
  min: 300,
  initial: 400,
  max: 900,
} as const;

/** Everything that one segment or subsegment tells, by the tabs that the X-Ray console has. */
export function Details(props: DetailsProps): JSX.Element {
  const { node } = props;
  const { tab } = usePageSearch();
  const change = useChangeSearch();
  const linksTo = useLinksTo(node);
  const tabs = tabsOf(props, linksTo);
  // Why it failed is what one wants to read first.
  const hasFailed = node.outcome !== 'ok' && exceptionsOf(node, props.tree).length > 0;
  const [width, grip] = useDraggedWidth(panelWidth);
  return (
    <aside className={styles.details} style={{ width }} aria-label="Details">
      {grip}
      <header>
        <h2>
          {node.name} <span>{node.detail}</span>
        </h2>
        {node.end === undefined && node.outcome === 'ok' ? undefined : (
          <OutcomeBadge outcome={node.outcome} status={node.httpStatus} />
        )}
      </header>
      <Tabs
        label="Details"
        tabs={tabs}
        chosen={tab ?? (hasFailed ? 'exceptions' : undefined)}
        onChoose={(id) => change({ tab: id }, { replace: true })}
      />
    </aside>
  );
}

/** Only those that have something to say; the two that one looks for in every row always stand. */
function tabsOf({ node, tree, now, onChoose }: DetailsProps, linksTo: readonly LinkAnswer[]): readonly Tab[] {
  const { request, response } = requestFields(node);
  const annotations = annotationsOf(node);
  const metadata = metadataOf(node);
  const resources = resourceFields(node);
  const exceptions = exceptionsOf(node, tree);
  const sql = sqlFields(node);
  const facts = openTelemetryOf(node);
  const links = linksOf(node);
  const when = (filled: boolean, tab: Tab): readonly Tab[] => (filled ? [tab] : []);
  return [
    {
      id: 'overview',
      label: 'Overview',
      content: () => <Overview node={node} tree={tree} now={now} onChoose={onChoose} />,
    },
    ...when(request.length + response.length > 0, {
      id: 'request',
      label: 'Request',
      content: () => <Request request={request} response={response} />,
    }),
    ...when(annotations.length > 0, {
      id: 'annotations',
      label: 'Annotations',
      count: annotations.length,
      content: () => <Annotations node={node} />,
    }),
    ...when(metadata.length > 0, {
      id: 'metadata',
      label: 'Metadata',
      count: metadata.length,
      content: () => <Metadata metadata={metadata} />,
    }),
    ...when(resources.length > 0, {
      id: 'resources',
      label: 'Resources',
      content: () => <FieldTable fields={resources} />,
    }),
    {
      id: 'exceptions',
      label: 'Exceptions',
      count: exceptions.length,
      content: () => <Exceptions node={node} exceptions={exceptions} onChoose={onChoose} />,
    },
    ...when(sql.query !== undefined || sql.rest.length > 0, {
      id: 'sql',
      label: 'SQL',
      content: () => <Sql query={sql.query} rest={sql.rest} />,
    }),
    ...(facts ? [{ id: 'otel', label: 'OpenTelemetry', content: () => <OpenTelemetry facts={facts} /> }] : []),
    ...when(links.length + linksTo.length > 0, {
      id: 'links',
      label: 'Links',
      count: links.length + linksTo.length,
      content: () => <Links links={links} linksTo={linksTo} />,
    }),
    { id: 'raw', label: 'Raw', content: () => <Raw node={node} /> },
  ];
}

function Overview({ node, tree, now, onChoose }: DetailsProps): JSX.Element {
  const service = tree.services[node.serviceIndex];
  const end = node.end ?? now;
  const running = now > tree.end;
  const fields: readonly Field[] = [
    { label: 'Service', value: [service?.name, service?.type && typeLabel(service.type)].filter(Boolean).join(', ') },
    { label: 'Kind', value: kindOf(node) },
    {
      label: 'Starts',
      value: `${formatDateTime(node.start)}, ${formatDuration(node.start - tree.start)} into the trace`,
    },
    {
      label: 'Ends',
      value: node.end !== undefined ? formatDateTime(node.end) : running ? 'in progress' : 'no end was ever sent',
    },
    {
      label: 'Duration',
      value: node.end === undefined ? `${formatDuration(end - node.start)} so far` : formatDuration(end - node.start),
    },
    { label: 'Own time', value: formatDuration(totalOf(ownTime(node, now))) },
    { label: 'Id', value: node.id },
  ];
  const { request, response } = requestFields(node);
  return (
    <>
      <FieldTable fields={fields} />
      {node.parent ? (
        <p className={styles.parent}>
          Called by <NodeButton node={node.parent} onChoose={onChoose} />
        </p>
      ) : undefined}
      {request.length + response.length > 0 ? (
        <section>
          <h3>Request and response</h3>
          <FieldTable fields={[...request, ...response]} />
        </section>
      ) : undefined}
    </>
  );
}

function kindOf(node: TraceNode): string {
  const namespace = node.document['namespace'];
  const words = [
    node.subsegment ? 'subsegment' : 'segment',
    namespace === 'aws' ? 'call of an AWS service' : namespace === 'remote' ? 'call of another service' : '',
    node.inferred ? 'inferred by X-Ray from the call' : '',
  ];
  return words.filter(Boolean).join(', ');
}

function Request({ request, response }: ReturnType<typeof requestFields>): JSX.Element {
  const url = request.find(({ label, value }) => label === 'url' && /^https?:\/\//.test(value))?.value;
  return (
    <>
      <section>
        <h3>Request</h3>
        <FieldTable fields={request} none="Nothing was recorded." />
        {url ? (
          <a href={url} target="_blank" rel="noreferrer" className={styles.url}>
            Open the URL
          </a>
        ) : undefined}
      </section>
      <section>
        <h3>Response</h3>
        <FieldTable fields={response} none="No response was recorded." />
      </section>
    </>
  );
}

/** Each with a link to the other traces that have it; annotations are what filter expressions can find. */
function Annotations({ node }: { readonly node: TraceNode }): JSX.Element {
  const { from, to } = usePageSearch();
  const fields = exactAnnotations(node).map(({ key, value, text }) => ({
    label: key,
    value: (
      <span className={styles.annotation}>
        <span>{text}</span>
        <Link to="/traces" search={{ q: annotationFilter(key, value), from, to }} title={annotationFilter(key, value)}>
          Find
        </Link>
      </span>
    ),
  }));
  return <FieldTable fields={fields} />;
}

function Metadata({ metadata }: { readonly metadata: ReturnType<typeof metadataOf> }): JSX.Element {
  return (
    <div>
      {metadata.map(([namespace, value]) => (
        <JsonTree key={namespace} name={namespace} value={value} />
      ))}
    </div>
  );
}

function Sql({ query, rest }: { readonly query: string | undefined; readonly rest: readonly Field[] }): JSX.Element {
  return (
    <>
      {query ? <CopyBlock text={formatSql(query)} label="Copy the query" /> : undefined}
      <FieldTable fields={rest} />
    </>
  );
}

function OpenTelemetry({ facts }: { readonly facts: NonNullable<ReturnType<typeof openTelemetryOf>> }): JSX.Element {
  return (
    <>
      <FieldTable fields={facts.span} />
      {facts.attributes.length > 0 ? (
        <section>
          <h3>Attributes that X-Ray has no place for</h3>
          <FieldTable fields={facts.attributes} />
        </section>
      ) : undefined}
      {facts.events.map((event, at) => (
        <section key={`${event.timeNs}-${at}`}>
          <h3>
            Event {event.name} at {formatDateTime(Number(event.timeNs) / 1e9)}
          </h3>
          <FieldTable fields={event.attributes} />
        </section>
      ))}
    </>
  );
}

function Links(props: {
  readonly links: ReturnType<typeof linksOf>;
  readonly linksTo: readonly LinkAnswer[];
}): JSX.Element {
  return (
    <>
      <ul className={styles.links} aria-label="Links of this one">
        {props.links.map((link, at) => (
          <li key={`${link.traceId}-${at}`}>
            <LinkToTrace traceId={link.traceId} span={link.id} />
            <FieldTable fields={link.attributes} />
          </li>
        ))}
      </ul>
      {props.linksTo.length > 0 ? (
        <section>
          <h3>Linked from</h3>
          <ul className={styles.links}>
            {props.linksTo.map(({ LinkedTraceId, LinkedId }) => (
              <li key={`${LinkedTraceId} ${LinkedId}`}>
                <LinkToTrace traceId={LinkedTraceId} span={LinkedId} />
              </li>
            ))}
          </ul>
        </section>
      ) : undefined}
    </>
  );
}

function LinkToTrace({ traceId, span }: { readonly traceId: string; readonly span: string | undefined }): JSX.Element {
  return (
    <Link to="/traces/$id" params={{ id: traceId }} search={(before) => ({ ...keepQuestion(before), span })}>
      {traceId}
    </Link>
  );
}

function Raw({ node }: { readonly node: TraceNode }): JSX.Element {
  const text = useMemo(() => exactText(node), [node]);
  return <CopyBlock text={text} label="Copy the document" />;
}
