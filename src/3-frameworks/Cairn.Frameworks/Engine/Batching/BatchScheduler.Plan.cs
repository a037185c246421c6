using System.Diagnostics;

namespace Cairn.Frameworks.Engine.Batching;

/// <summary>The step's plan: memory for what decodes, rows for who waits, prefill for what the budget allows.</summary>
internal sealed partial class BatchScheduler
{
    private bool _shortestFirst;

    /// <summary>
    /// Decides the next step. What it decides counts as done: the caller carries it out before the next call, or gives up.
    /// </summary>
    public void Plan(StepCosts costs, StepPlan plan)
    {
        plan.Clear();
        ReserveForDecoding(plan);
        for (var row = 0; row < _decoding; row++)
            plan.Decodes.Add(_rows[row]!);
        if (plan.Preempted.Count == 0)
            Admit(plan);
        plan.Swaps.AddRange(_swaps);
        _swaps.Clear();
        Prefill(costs, plan);
        foreach (var sequence in plan.Decodes)
            sequence.Filled = sequence.Length;
    }

    // The oldest sequence is never the victim, and alone it always fits: so it ends, then the next oldest does.
    private void ReserveForDecoding(StepPlan plan)
    {
        while (NeededForDecoding() > _limits.Blocks - _usedBlocks)
            Preempt(Youngest(), plan);
        for (var row = 0; row < _decoding; row++)
            Reserve(_rows[row]!);
    }

    private int NeededForDecoding()
    {
        var needed = 0;
        for (var row = 0; row < _decoding; row++)
            needed += BlockKey.BlocksFor(_rows[row]!.Length) - _rows[row]!.Blocks;
        return needed;
    }

    private Sequence Youngest()
    {
        Sequence? youngest = null;
        foreach (var sequence in _rows)
            if (sequence is not null && sequence.Id > (youngest?.Id ?? -1))
                youngest = sequence;
        return youngest ?? throw new UnreachableException("memory is short although no row is taken");
    }

    private void Preempt(Sequence sequence, StepPlan plan)
    {
        Release(sequence);
        sequence.Filled = 0;
        sequence.Offered = 0;
        sequence.Preemptions++;
        Preemptions++;
        _preempted.Add(sequence);
        plan.Preempted.Add(sequence);
    }

    private void Reserve(Sequence sequence)
    {
        var blocks = BlockKey.BlocksFor(sequence.Length);
        _usedBlocks += blocks - sequence.Blocks;
        sequence.Blocks = blocks;
        Debug.Assert(_usedBlocks <= _limits.Blocks, "the budget of blocks is held");
    }

    // Whoever had to give a row back gets the next one; and nobody passes who fits only because the one in front does not.
    private void Admit(StepPlan plan)
    {
        for (var row = _decoding; row < _rows.Length && FreeRows > 0; row++)
        {
            if (_rows[row] is not null)
                continue;
            var next = _preempted.Min ?? _queue.Next;
            if (next is null || !Fits(next))
                return;
            _rows[row] = next;
            next.Row = row;
            next.Admission = ++_admissions;
            Running++;
            Reserve(next);
            plan.Admitted.Add(next);
            if (_preempted.Remove(next))
                continue;
            _queue.Remove(next);
            _queue.Charge(next.Caller, FairQueue.PromptWeight * (next.Length - CachedTokensOf(next)));
        }
    }

    // A spare block for each that runs, so that an admission does not cause the next preemption.
    private bool Fits(Sequence sequence)
    {
        var free = _limits.Blocks - _usedBlocks;
        var needed = BlockKey.BlocksFor(sequence.Length);
        return Running == 0 ? needed <= free : needed + Running <= free;
    }

    private int CachedTokensOf(Sequence sequence)
    {
        var block = 0;
        if (_prefixes.Count > 0)
            while ((block + 1) * BlockKey.Tokens < sequence.Length && _prefixes.Contains(sequence.KeyOf(block)))
                block++;
        return block * BlockKey.Tokens;
    }

    // Every other turn goes to the oldest prompt, so that none starves, the rest to the one with the least left, so that a short one need
    // not wait for a long one.
    private void Prefill(StepCosts costs, StepPlan plan)
    {
        var prefilling = Running - plan.Decodes.Count;
        var budget = Budget(costs, plan.Decodes.Count, prefilling);
        for (var any = false; prefilling > 0; prefilling--, any = true)
        {
            var sequence = NextToPrefill(plan);
            _shortestFirst = !_shortestFirst;
            if (Restore(sequence, plan, costs, ref budget) && budget <= 0)
                return;
            var tokens = ChunkWithin(budget, sequence.Pending, costs, any);
            if (tokens == 0)
                return;
            plan.Prefills.Add(new PrefillChunk(sequence, sequence.Filled, tokens));
            sequence.Filled += tokens;
            budget -= costs.PrefillMilliseconds(tokens);
            if (budget <= 0 || tokens >= _limits.LargestChunk)
                return;
        }
    }

    private double Budget(StepCosts costs, int decoding, int prefilling)
    {
        if (decoding == 0)
            return _limits.IdleStepMilliseconds;
        var share = Math.Max(1.0, (double)prefilling / decoding);
        return Math.Min(_limits.StepBudgetMilliseconds, _limits.PrefillRatio * share * costs.DecodeMilliseconds(decoding));
    }

    private Sequence NextToPrefill(StepPlan plan)
    {
        Sequence? best = null;
        for (var row = _decoding; row < _rows.Length; row++)
            if (_rows[row] is { Pending: > 0 } sequence && (best is null || Before(sequence, best)) && !Planned(sequence, plan))
                best = sequence;
        return best ?? throw new UnreachableException("a running sequence neither decodes nor has anything to prefill");
    }

    private bool Before(Sequence a, Sequence b) =>
        _shortestFirst && a.Pending != b.Pending ? a.Pending < b.Pending : a.Admission < b.Admission;

    private static bool Planned(Sequence sequence, StepPlan plan)
    {
        foreach (var chunk in plan.Prefills)
            if (chunk.Sequence == sequence)
                return true;
        return false;
    }

    // The last token is always computed: its logits choose the next one.
    private bool Restore(Sequence sequence, StepPlan plan, StepCosts costs, ref double budget)
    {
        var start = sequence.Filled;
        while (_prefixes.Count > 0 && (budget > 0 || sequence.Filled == start))
        {
            var block = sequence.Filled / BlockKey.Tokens;
            if ((block + 1) * BlockKey.Tokens >= sequence.Length || !_prefixes.TryUse(sequence.KeyOf(block), out var slot))
                break;
            plan.Restores.Add(new BlockCopy(sequence.Row, block * BlockKey.Tokens, slot));
            sequence.Filled = (block + 1) * BlockKey.Tokens;
            budget -= costs.RestoreMilliseconds;
        }
        Count(sequence, start);
        return sequence.Filled > start;
    }

    private void Count(Sequence sequence, int start)
    {
        if (sequence.Preemptions > 0)
            return;
        var hits = sequence.Filled - start;
        PrefixHits += hits;
        sequence.CachedTokens += hits;
        if (start == 0)
            PrefixQueries += sequence.PromptLength;
    }

    /// <summary>
    /// As many of the smallest chunks as the budget pays; the whole rest where it is paid for. 0 where nothing is and it may wait.
    /// </summary>
    private int ChunkWithin(double budget, int pending, StepCosts costs, bool mayWait)
    {
        var most = Math.Min(pending, _limits.LargestChunk);
        if (costs.PrefillMilliseconds(most) <= budget)
            return most;
        var smallest = Math.Min(_limits.SmallestChunk, most);
        if (costs.PrefillMilliseconds(smallest) > budget)
            return mayWait ? 0 : smallest;
        var tokens = smallest;
        while (tokens * 2 <= most && costs.PrefillMilliseconds(tokens * 2) <= budget)
            tokens *= 2;
        // Halfway to the next power of two once more: budgets are often just short of it.
        return tokens + tokens / 2 <= most && costs.PrefillMilliseconds(tokens + tokens / 2) <= budget ? tokens + tokens / 2 : tokens;
    }
}
