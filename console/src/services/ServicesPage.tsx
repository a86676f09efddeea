import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { JSX } from 'react';
import { useMap } from '../api/queries.ts';
import { countOf } from '../format/count.ts';
import { ServiceTable } from '../map/ServiceTable.tsx';
import { toMapGraph } from '../map/graph.ts';
import { spellRange } from '../range/range.ts';
import { usePageSearch } from '../search.ts';
import { EmptyState, Failure, Loading } from '../shell/EmptyState.tsx';
import { isLive } from '../shell/LiveSwitch.tsx';
import { Page } from '../shell/Page.tsx';

/** Every service of the range with its rate, failures and times; one leads to its own page. */
export function ServicesPage(): JSX.Element {
  const search = usePageSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useMap(search, { live: isLive(search) });
  const graph = useMemo(() => (data ? toMapGraph(data.Services) : undefined), [data]);
  const open = (key: string) => {
    const node = graph?.nodes.find((one) => one.key === key);
    if (!node) return;
    void navigate({
      to: '/services/$name',
      params: { name: node.name },
      search: { from: search.from, to: search.to, select: key },
    });
  };
  const services = graph?.nodes.filter(({ client }) => !client) ?? [];
  return (
    <Page title="Services" lead={graph ? countOf(services.length, 'service') : undefined}>
      {error && !graph ? <Failure error={error} onRetry={() => void refetch()} /> : undefined}
      {!graph && !error ? <Loading what="the services" /> : undefined}
      {graph && services.length === 0 ? (
        <EmptyState title={`No service sent a trace in ${spellRange(search)}`}>
          <p>A service shows here as soon as a trace of this time holds a segment of it.</p>
        </EmptyState>
      ) : undefined}
      {graph && data && services.length > 0 ? (
        <ServiceTable graph={graph} rangeSeconds={data.EndTime - data.StartTime} selected={undefined} onSelect={open} />
      ) : undefined}
    </Page>
  );
}
