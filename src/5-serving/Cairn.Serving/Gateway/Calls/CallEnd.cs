namespace Cairn.Serving.Gateway.Calls;

/// <summary>Tokens that a request used.</summary>
/// <param name="Input">Of the prompt, cached ones included.</param>
/// <param name="Cached">Of the input, those the engine had.</param>
/// <param name="Output">Of the answer.</param>
/// <param name="Estimated">Whether the target told nothing and they were counted from bytes and chunks.</param>
internal readonly record struct TokenUsage(long Input, long Cached, long Output, bool Estimated = false)
{
    public long Total => Input + Output;
}
