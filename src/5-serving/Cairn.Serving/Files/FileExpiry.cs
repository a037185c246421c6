using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Files;

/// <summary>When files end, by OpenAI's rules.</summary>
internal static class FileExpiry
{
    private const long LeastSeconds = 3600;
    private const long MostSeconds = 30 * 24 * 3600;

    /// <summary>What a batch reads and writes stays so long where nobody says otherwise.</summary>
    public static TimeSpan OfBatches { get; } = TimeSpan.FromDays(30);

    /// <summary>An <c>expires_after</c> as a client wrote it.</summary>
    public static (TimeSpan After, CallError? Error) Read(string? anchor, long seconds, string param)
    {
        if (anchor != "created_at")
            return (default, CallError.Invalid($"Invalid value: '{OpenAiAnswers.Short(anchor)}'. Supported values are: 'created_at'.", param + ".anchor"));
        return seconds is >= LeastSeconds and <= MostSeconds ? (TimeSpan.FromSeconds(seconds), null)
            : (default, CallError.Invalid($"Invalid '{param}.seconds': expected an integer from {LeastSeconds} to {MostSeconds}.", param + ".seconds"));
    }
}
