export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/** What awaits `opened` goes on where it was begun: not in the transaction of whoever opens. */
export function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
