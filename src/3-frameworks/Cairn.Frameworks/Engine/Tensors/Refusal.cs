namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Why a request got no answer; both faces map it to their status.</summary>
internal enum RefusalKind
{
    /// <summary>The request is wrong: 400, INVALID_ARGUMENT.</summary>
    Invalid,

    /// <summary>No such model or version: 404, NOT_FOUND.</summary>
    NotFound,

    /// <summary>The model is not ready or goes away: 503, UNAVAILABLE.</summary>
    Unavailable,

    /// <summary>The queue is full: 429, UNAVAILABLE.</summary>
    QueueFull,

    /// <summary>The request waited longer than its timeout: 504, DEADLINE_EXCEEDED.</summary>
    TimedOut,

    /// <summary>More bytes than are taken: 413, RESOURCE_EXHAUSTED.</summary>
    TooLarge,

    /// <summary>An encoding that is not understood: 415, UNIMPLEMENTED.</summary>
    Unsupported,

    /// <summary>The model failed on a request that was right by its configuration: 500, INTERNAL.</summary>
    Failed,
}

/// <summary>A refusal and its message.</summary>
internal sealed record Refusal(RefusalKind Kind, string Message);

/// <summary>Ends the reading of a request that cannot be answered.</summary>
internal sealed class RefusedException(Refusal refusal, Exception? inner = null) : Exception(refusal.Message, inner)
{
    public Refusal Refusal { get; } = refusal;

    public static RefusedException Invalid(string message) => new(new(RefusalKind.Invalid, message));

    public static RefusedException NotFound(string message) => new(new(RefusalKind.NotFound, message));

    public static RefusedException Unavailable(string message) => new(new(RefusalKind.Unavailable, message));
}
