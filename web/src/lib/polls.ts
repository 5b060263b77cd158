/** Polls: how often each of their options was chosen, and by whom. */
import type { Message } from '../api/types';

export interface Option {
  name: string;
  count: number;
  /** JIDs; of results that were sent on nobody is known. */
  voters: string[];
}

/** The options in their order; of polls that are older than these, those somebody chose. */
export function tally({ poll_options, poll_votes, poll_counts }: Message): Option[] {
  const chosen = poll_votes.flatMap((vote) => vote.options);
  return (poll_options.length > 0 ? poll_options : [...new Set(chosen)]).map((name, index) => {
    const voters = poll_votes.filter((vote) => vote.options.includes(name)).map((vote) => vote.sender_jid);
    return { name, count: poll_counts?.[index] ?? voters.length, voters };
  });
}
