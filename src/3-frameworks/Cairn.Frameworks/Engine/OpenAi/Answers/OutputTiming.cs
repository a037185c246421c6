using Cairn.Frameworks.Engine.Metrics;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Measures one output from the moment its request was read, and records it once.</summary>
internal sealed class OutputTiming(RequestMetrics metrics, TimeProvider time, long began)
{
    private long _last;
    private bool _ended;

    public void OnPiece(in GenerationPiece piece)
    {
        var tokens = piece.Tokens.Count;
        if (tokens > 0)
        {
            var now = time.GetTimestamp();
            if (_last == 0)
                metrics.OnFirstToken(time.GetElapsedTime(began, now).TotalSeconds);
            else
                metrics.OnTokens(time.GetElapsedTime(_last, now).TotalSeconds / tokens, tokens);
            _last = now;
        }

        if (piece.Finish is { } finish)
        {
            OnEnd(finish.Reason switch
            {
                FinishReason.Stop => RequestEnd.Stop,
                FinishReason.Length => RequestEnd.Length,
                _ => RequestEnd.Abort,
            }, finish.PromptTokens, finish.OutputTokens);
        }
    }

    /// <summary>It broke, or its client left.</summary>
    public void OnEnd(RequestEnd end, int promptTokens = 0, int outputTokens = 0)
    {
        if (_ended)
            return;
        _ended = true;
        metrics.OnEnd(end, time.GetElapsedTime(began).TotalSeconds, promptTokens, outputTokens);
    }
}
