/**
 * Answers come late, and not in the order of the questions. Who may ask anew before an answer is here takes each answer
 * only while it is wanted.
 */
export class Latest {
  #questions = 0;

  /** A new question; answers to those before are not wanted any more. Gives whether the answer to this one is. */
  ask(): () => boolean {
    this.drop();
    return this.current();
  }

  /** Gives whether it is still as it was when this was called: nothing was asked for since, or dropped. */
  current(): () => boolean {
    const question = this.#questions;
    return () => question === this.#questions;
  }

  /** No answer that is on its way is wanted any more. */
  drop(): void {
    this.#questions += 1;
  }
}
