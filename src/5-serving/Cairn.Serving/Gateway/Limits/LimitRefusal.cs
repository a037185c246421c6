namespace Cairn.Serving.Gateway.Limits;

internal enum LimitKind
{
    Requests,
    Tokens,
    Parallel,
    Budget,

    /// <summary>Not the key's: the project's money is used up.</summary>
    Funds,
}

/// <summary>Why a request was not let in.</summary>
/// <param name="Key">The key whose limit it is: the caller's or one above it.</param>
/// <param name="Limit">Of the kind's unit: requests, tokens, requests at once, micro-dollars.</param>
/// <param name="Used">Used and reserved, of the same unit.</param>
/// <param name="Asked">What this request would have added.</param>
/// <param name="RetryAfter">When it could be let in at the earliest; null where waiting alone does not help.</param>
internal sealed record LimitRefusal(LimitKind Kind, string Key, long Limit, long Used, long Asked, TimeSpan? RetryAfter);
