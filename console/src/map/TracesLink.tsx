import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import { usePageSearch } from '../search.ts';
import styles from './TracesLink.module.css';

/** To the trace list with a filter expression and the time of this page. */
export function TracesLink(props: {
  readonly filter: string;
  readonly primary?: boolean;
  readonly label?: string;
  readonly children: string;
}): JSX.Element {
  const { from, to } = usePageSearch();
  return (
    <Link
      to="/traces"
      search={{ q: props.filter, from, to }}
      className={props.primary ? styles.primary : styles.link}
      aria-label={props.label}
    >
      {props.children}
    </Link>
  );
}
