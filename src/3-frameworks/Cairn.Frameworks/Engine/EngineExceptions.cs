namespace Cairn.Frameworks.Engine;

/// <summary>A folder does not hold a model that can be loaded.</summary>
public sealed class ModelLoadException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The engine failed while generating.</summary>
public sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A request that the engine does not take. Nothing of it was queued.</summary>
public sealed class RequestRefusedException(RequestRefusal reason, string message) : Exception(message)
{
    public RequestRefusal Reason { get; } = reason;
}

/// <summary>Why a request was refused.</summary>
public enum RequestRefusal
{
    EmptyPrompt,

    /// <summary>The prompt leaves no room for a token of output.</summary>
    PromptTooLong,

    /// <summary>A token id that the model does not have.</summary>
    UnknownToken,

    /// <summary>A parameter of <see cref="GenerationRequest.Sampling"/> is out of range.</summary>
    InvalidSampling,

    /// <summary>The tokenizer's tokens cannot say any text of <see cref="GenerationRequest.Grammar"/>.</summary>
    UnsayableGrammar,

    /// <summary>As many requests wait as <see cref="EngineOptions.QueueLimit"/> says; try again later.</summary>
    QueueFull,
}
