namespace Cairn.Serving.Gateway.Routing;

/// <summary>What a decision knows of a request.</summary>
internal readonly ref struct RoutingRequest
{
    /// <summary>Estimated where the tokenizer is not known: a quarter of the bytes.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Blocks of the prompt in all; what <see cref="Matches"/> are counted of.</summary>
    public int PromptBlocks { get; init; }

    /// <summary>Replicas that have leading blocks of the prompt.</summary>
    public ReadOnlySpan<PrefixMatch> Matches { get; init; }

    /// <summary>0 where the request belongs to no session.</summary>
    public ulong SessionHash { get; init; }

    /// <summary>The bit of the adapter that is asked for; 0 where none is.</summary>
    public ulong AdapterBit { get; init; }

    /// <summary>Slots that failed this request before.</summary>
    public ReadOnlySpan<int> Tried { get; init; }
}

/// <summary>A replica that has the first blocks of a prompt.</summary>
internal readonly record struct PrefixMatch(int Slot, int Blocks);
