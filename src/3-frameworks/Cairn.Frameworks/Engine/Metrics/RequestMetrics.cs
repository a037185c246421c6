using System.Diagnostics.Metrics;

namespace Cairn.Frameworks.Engine.Metrics;

/// <summary>
/// What requests to one model met: recorded once, told twice, as OpenTelemetry's <c>gen_ai.server.*</c> instruments and as vLLM's names in
/// <c>/metrics</c>.
/// </summary>
internal sealed class RequestMetrics(string model, int contextLength)
{
    private static readonly Meter s_meter = new("Cairn.Engine");
    private static readonly Histogram<double> s_firstToken = s_meter.CreateHistogram<double>("gen_ai.server.time_to_first_token", "s");
    private static readonly Histogram<double> s_perToken = s_meter.CreateHistogram<double>("gen_ai.server.time_per_output_token", "s");
    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram<double>("gen_ai.server.request.duration", "s");
    private readonly KeyValuePair<string, object?> _tag = new("gen_ai.request.model", model);
    private readonly long[] _finished = new long[Enum.GetValues<RequestEnd>().Length];

    public Histogram FirstToken { get; } = new(Buckets.FirstToken);

    public Histogram BetweenTokens { get; } = new(Buckets.BetweenTokens);

    public Histogram EndToEnd { get; } = new(Buckets.Request);

    public Histogram PromptTokens { get; } = new(Buckets.Tokens(contextLength));

    public Histogram OutputTokens { get; } = new(Buckets.Tokens(contextLength));

    public Histogram Choices { get; } = new(Buckets.Choices);

    public long Ended(RequestEnd end) => Interlocked.Read(ref _finished[(int)end]);

    public void OnFirstToken(double seconds)
    {
        FirstToken.Record(seconds);
        s_firstToken.Record(seconds, _tag);
    }

    /// <summary>Tokens that came together share the time since the last piece.</summary>
    public void OnTokens(double secondsEach, int tokens)
    {
        BetweenTokens.Record(secondsEach, tokens);
        if (s_perToken.Enabled)
        {
            for (var i = 0; i < tokens; i++)
                s_perToken.Record(secondsEach, _tag);
        }
    }

    /// <summary>One generation is over.</summary>
    public void OnEnd(RequestEnd end, double seconds, int promptTokens, int outputTokens)
    {
        Interlocked.Increment(ref _finished[(int)end]);
        EndToEnd.Record(seconds);
        s_duration.Record(seconds, _tag);
        PromptTokens.Record(promptTokens);
        OutputTokens.Record(outputTokens);
    }
}

/// <summary>vLLM's <c>finished_reason</c>.</summary>
internal enum RequestEnd
{
    Stop,
    Length,
    Abort,
    Error,
}
