import { useState } from 'react';
import type { JSX } from 'react';
import type { StatusAnswer } from '../api/answers.ts';
import { useStatus } from '../api/queries.ts';
import { Failure, Loading } from '../shell/EmptyState.tsx';
import { useTitle } from '../shell/title.ts';
import { FirstRun } from './FirstRun.tsx';
import { Overview } from './Overview.tsx';

/** Before the first trace, how to send one; afterwards, how the services are. It does not jump from one to the other by itself. */
export function HomePage(): JSX.Element {
  useTitle('Home');
  const { data, error, refetch } = useStatus({ watched: true });
  if (!data) return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading what="the status" />;
  return <Home status={data} />;
}

function Home({ status }: { readonly status: StatusAnswer }): JSX.Element {
  const [waiting, setWaiting] = useState(status.store.traces === 0);
  return waiting ? <FirstRun status={status} onDone={() => setWaiting(false)} /> : <Overview status={status} />;
}
