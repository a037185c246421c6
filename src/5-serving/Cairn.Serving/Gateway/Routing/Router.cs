namespace Cairn.Serving.Gateway.Routing;

/// <summary>
/// Chooses a replica; pure and without allocation. (1) Filters leave those that may take the request; (2) candidates are the replicas
/// that have its prefix, its session's replica, one at random that has its adapter, two among the near and one among the far; (3) each is
/// scored in tokens of work; (4) the cheapest is picked. Two at random instead of the cheapest of all: many gateways that see the same
/// stale figures must not all run to the same replica (Mitzenmacher 2001, The power of two choices in randomized load balancing). Because
/// queue and saved prefill are one sum, a hot prefix leaves its replica as soon as waiting costs more than computing again.
/// </summary>
internal static class Router
{
    /// <param name="dice">A random number; the same one decides the same.</param>
    public static RouteDecision Choose(RoutingOptions options, ReadOnlySpan<ReplicaView> replicas, scoped in RoutingRequest request, ulong dice)
    {
        var decision = new RouteDecision { Outcome = RouteOutcome.NoReplica };

        // (1)
        var nearest = float.MaxValue;
        var eligible = 0;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (!Admit(in replicas[i], request.Tried, ref decision))
                continue;
            eligible++;
            nearest = Math.Min(nearest, replicas[i].LatencyMs);
        }
        if (eligible == 0)
        {
            if (decision.Full > 0)
                decision.Outcome = RouteOutcome.Saturated;
            return decision;
        }

        // (2)
        var draw = new Draw(dice);
        var picks = Pick(replicas, request, (float)(nearest + options.NearMilliseconds), ref draw);
        Span<int> chosen = stackalloc int[RouteDecision.MostCandidates];
        var count = 0;
        foreach (var match in request.Matches)
            Add(chosen, ref count, Find(replicas, match.Slot), replicas, request.Tried);
        Add(chosen, ref count, picks.Session, replicas, request.Tried);
        Add(chosen, ref count, picks.Adapter, replicas, request.Tried);
        Add(chosen, ref count, picks.NearOne, replicas, request.Tried);
        Add(chosen, ref count, picks.NearTwo, replicas, request.Tried);
        Add(chosen, ref count, picks.Far, replicas, request.Tried);

        // (3), (4)
        decision.Outcome = RouteOutcome.Chosen;
        decision.CandidateCount = count;
        for (var i = 0; i < count; i++)
        {
            decision.Candidates[i] = Score(options, replicas, chosen[i], in request, nearest, picks.Session);
            if (decision.Candidates[i].Cost < decision.Candidates[decision.Chosen].Cost)
                decision.Chosen = i;
        }
        return decision;
    }

    private static bool Admit(in ReplicaView replica, ReadOnlySpan<int> tried, ref RouteDecision decision)
    {
        switch (replica.Condition)
        {
            case ReplicaCondition.Unready: decision.Unready++; return false;
            case ReplicaCondition.Draining: decision.Draining++; return false;
            case ReplicaCondition.Broken: decision.Broken++; return false;
        }
        if (tried.Contains(replica.Slot))
        {
            decision.Tried++;
            return false;
        }
        if (IsFull(in replica))
        {
            decision.Full++;
            return false;
        }
        return true;
    }

    private static bool IsFull(in ReplicaView replica) => replica.MostRequests > 0 && replica.Requests >= replica.MostRequests;

    private static bool May(in ReplicaView replica, ReadOnlySpan<int> tried) =>
        replica.Condition == ReplicaCondition.Ready && !IsFull(in replica) && !tried.Contains(replica.Slot);

    private struct Picks
    {
        public int NearOne;
        public int NearTwo;
        public int Far;
        public int Session;
        public int Adapter;
    }

    /// <summary>
    /// One pass: a sample of two among the near, of one among the far, and the session's replica by the highest random weight (Thaler and
    /// Ravishankar 1998).
    /// </summary>
    private static Picks Pick(ReadOnlySpan<ReplicaView> replicas, scoped in RoutingRequest request, float near, ref Draw draw)
    {
        var picks = new Picks { NearOne = -1, NearTwo = -1, Far = -1, Session = -1, Adapter = -1 };
        var (nears, fars, best, loaded) = (0u, 0u, 0ul, 0u);
        for (var i = 0; i < replicas.Length; i++)
        {
            ref readonly var replica = ref replicas[i];
            if (!May(in replica, request.Tried))
                continue;
            if (request.SessionHash != 0 && Dice.Mix(request.SessionHash ^ (uint)replica.Slot) is var weight && weight >= best)
                (best, picks.Session) = (weight, i);
            if ((request.AdapterBit & replica.AdapterBits) != 0 && draw.Below(++loaded) == 0)
                picks.Adapter = i;
            if (replica.LatencyMs > near)
            {
                if (draw.Below(++fars) == 0)
                    picks.Far = i;
                continue;
            }
            // Algorithm R (Vitter 1985) with two places.
            nears++;
            if (nears == 1)
                picks.NearOne = i;
            else if (nears == 2)
                picks.NearTwo = i;
            else if (draw.Below(nears) is var place && place == 0)
                picks.NearOne = i;
            else if (place == 1)
                picks.NearTwo = i;
        }
        // Which of the two comes first breaks ties.
        if ((draw.Next() & 1) != 0)
            (picks.NearOne, picks.NearTwo) = (picks.NearTwo, picks.NearOne);
        return picks;
    }

    private static void Add(Span<int> chosen, ref int count, int index, ReadOnlySpan<ReplicaView> replicas, ReadOnlySpan<int> tried)
    {
        if (index >= 0 && count < chosen.Length && May(in replicas[index], tried) && !chosen[..count].Contains(index))
            chosen[count++] = index;
    }

    private static int Find(ReadOnlySpan<ReplicaView> replicas, int slot)
    {
        // Slots only grow, and a pool keeps its replicas in their order.
        var (low, high) = (0, replicas.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (replicas[middle].Slot == slot)
                return middle;
            if (replicas[middle].Slot < slot)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return -1;
    }

    private static Candidate Score(RoutingOptions options, ReadOnlySpan<ReplicaView> replicas, int index, scoped in RoutingRequest request, float nearest, int session)
    {
        ref readonly var replica = ref replicas[index];
        var cached = 0;
        foreach (var match in request.Matches)
        {
            if (match.Slot == replica.Slot)
                cached = match.Blocks;
        }
        var share = request.PromptBlocks > 0 ? Math.Min(1.0, (double)cached / request.PromptBlocks) : 0;
        var pressure = Math.Max(0, (replica.CacheUsage - options.CachePressureAt) / (1 - options.CachePressureAt));
        return new Candidate
        {
            Index = index,
            Slot = replica.Slot,
            Prefill = (float)(options.PrefillWeight * request.PromptTokens * (1 - share)),
            Queue = (float)(options.QueueWeight * (replica.Tokens + options.TokensElsewhere * replica.Elsewhere)),
            Distance = (float)((replica.LatencyMs - nearest) * options.TokensPerMillisecond),
            Adapter = request.AdapterBit != 0 && (replica.AdapterBits & request.AdapterBit) == 0 ? (float)options.AdapterLoadTokens : 0,
            CachePressure = (float)(pressure * options.CachePressureTokens),
            Session = index == session ? -(float)options.SessionTokens : 0,
        };
    }

    private struct Draw(ulong seed)
    {
        private ulong _state = seed;

        public ulong Next() => Dice.Mix(_state++);

        /// <summary>Evenly below a bound, but for a bias of bound / 2⁶⁴.</summary>
        public uint Below(uint bound) => (uint)Math.BigMul(Next(), bound, out _);
    }
}
