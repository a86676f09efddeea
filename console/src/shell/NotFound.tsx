import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import { EmptyState } from './EmptyState.tsx';
import { useTitle } from './title.ts';

export function NotFound(): JSX.Element {
  useTitle('No such page');
  return (
    <>
      <h1 className="visually-hidden">No such page</h1>
      <EmptyState title="There is no page at this address" actions={<Link to="/">Go home</Link>} />
    </>
  );
}
