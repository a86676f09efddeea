import { Link, useNavigate } from '@tanstack/react-router';
import type { JSX } from 'react';
import { keepQuestion } from '../search.ts';
import type { PageSearch } from '../search.ts';
import { useShortcuts } from '../shell/shortcuts.ts';

/** From a trace to the page that holds it against what is normal, or against another. */
export function CompareLink({
  id,
  className,
}: {
  readonly id: string;
  readonly className?: string | undefined;
}): JSX.Element {
  const navigate = useNavigate();
  const search = (before: PageSearch): PageSearch => ({ ...keepQuestion(before), a: id });
  useShortcuts({ X: () => void navigate({ to: '/compare', search }) });
  return (
    <Link to="/compare" search={search} className={className} title="Compare (Shift X)">
      Compare
    </Link>
  );
}
