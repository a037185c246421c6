namespace Cairn.Serving.Gateway.Routing;

/// <summary>Whether a replica may get requests.</summary>
internal enum ReplicaCondition : byte
{
    Ready,

    /// <summary>Not yet, or no longer, answering its readiness probe.</summary>
    Unready,

    /// <summary>Finishes what it has and gets nothing new.</summary>
    Draining,

    /// <summary>Failed too often lately; its breaker is open.</summary>
    Broken,
}

/// <summary>What a decision sees of a replica. Counters are the gateway's own and exact; the engine's are as old as its last report.</summary>
internal struct ReplicaView
{
    /// <summary>Never used for another replica, so what an index remembers of a gone one is simply not found.</summary>
    public int Slot;

    public ReplicaCondition Condition;

    /// <summary>Requests in flight through this gateway.</summary>
    public int Requests;

    /// <summary>Most requests at once; 0 sets no limit.</summary>
    public int MostRequests;

    /// <summary>Prompt tokens and expected output tokens of the requests in flight, less what was already answered.</summary>
    public long Tokens;

    /// <summary>Requests that the engine has and this gateway did not send, as of its last report.</summary>
    public float Elsewhere;

    /// <summary>How full the engine's cache of keys and values is, 0 to 1.</summary>
    public float CacheUsage;

    /// <summary>Round trip from this gateway, milliseconds.</summary>
    public float LatencyMs;

    /// <summary>Bits of the loaded adapters; 0 stands for none.</summary>
    public ulong AdapterBits;
}
