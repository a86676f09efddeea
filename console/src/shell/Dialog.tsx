import { useEffect, useRef } from 'react';
import type { JSX, ReactNode } from 'react';

/** The browser's own modal dialog: it keeps the focus inside, and Escape and a click beside it close it. */
export function Dialog(props: {
  readonly open: boolean;
  readonly label: string;
  readonly className?: string | undefined;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): JSX.Element {
  const { open, label, className, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      {open ? children : undefined}
    </dialog>
  );
}
