namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>
/// Asks every language model for one token through the loop that serves everybody. Many askers share one probe, and its result holds for a
/// second.
/// A loop whose rows are all taken is well while it makes tokens.
/// </summary>
internal sealed class HealthProbe(LoadedModels models, TimeProvider time, TimeSpan timeout)
{
    private static readonly TimeSpan s_holds = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);
    private readonly Lock _lock = new();
    private Task<string?>? _running;
    private DateTimeOffset _began;

    /// <summary>Null where all is well; else what is wrong.</summary>
    public Task<string?> CheckAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_running is null || (_running.IsCompleted && now - _began >= s_holds))
            {
                _began = now;
                _running = ProbeAllAsync();
            }

            return _running.WaitAsync(cancellationToken);
        }
    }

    private async Task<string?> ProbeAllAsync()
    {
        foreach (var model in models.All<ServedLanguageModel>())
        {
            if (await ProbeAsync(model) is { } why)
                return why;
        }

        return null;
    }

    private async Task<string?> ProbeAsync(ServedLanguageModel served)
    {
        using var ends = new CancellationTokenSource(timeout, time);
        try
        {
            var before = served.Model.Statistics.GeneratedTokens;
            var generation = GenerateAsync(served.Model, ends.Token);
            while (!generation.IsCompleted && !ends.IsCancellationRequested)
            {
                if (served.Model.Statistics.GeneratedTokens != before)
                {
                    await ends.CancelAsync();
                    return null;
                }

                await Task.WhenAny(generation, Task.Delay(s_look, time, ends.Token));
            }

            // A generation that was cut off by the time has nothing more to say.
            return !generation.IsCompleted || generation.IsCanceled || !await generation
                ? $"Model {served.Name} made no token in {timeout.TotalSeconds:0} s."
                : null;
        }
        catch (Exception exception) when (exception is EngineException or RequestRefusedException or ObjectDisposedException)
        {
            return $"Model {served.Name}: {exception.Message}";
        }
    }

    private static async Task<bool> GenerateAsync(LanguageModel model, CancellationToken cancellationToken)
    {
        var request = new GenerationRequest
        {
            Prompt = [0], MaximumTokens = 1, IgnoreEnd = true, Caller = "health", Sampling = new() { Temperature = 0 },
        };
        try
        {
            await foreach (var piece in model.Start(request, cancellationToken).ReadAllAsync(cancellationToken))
            {
                if (piece.Finish is { } finish)
                    return finish.Reason != FinishReason.Cancelled;
            }
        }
        catch (RequestRefusedException refused) when (refused.Reason == RequestRefusal.QueueFull)
        {
            // Others' tokens tell then whether the loop is well.
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return false;
    }
}
