using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Cairn.Bench.Engine;
using Cairn.Bench.Gateway;
using Cairn.Bench.Servers;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Waking;

/// <summary>
/// An endpoint that sleeps and a client that does not know: a chat is asked for at a real <c>cairn up</c> whose endpoint has no replica. Timed is from sending the
/// request to the first word of its streamed answer; between lie the reconciler, a job, a process, a model that is loaded, and a probe.
/// </summary>
internal static class WakeLoad
{
    private const string Name = "tiny";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    // Always the byte 'a', whose text is whole.
    private const string Chat =
        $$"""{"model":"{{Name}}","messages":[{"role":"user","content":"Hello"}],"max_tokens":4,"temperature":0,"logit_bias":{"97":100},"stream":true}""";

    /// <summary>Argument: rounds (default 7).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 7);
        await using var server = await ServerProcess.StartAsync("up");
        using var api = new ServerApi(server);
        using var http = new HttpClient { BaseAddress = new Uri(server.Http), Timeout = s_patience };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
        await ServeAsync(server);
        try
        {
            var took = new List<double>();
            for (var round = 0; round <= rounds; round++)
            {
                await UntilAsync(async () => (await api.EndpointAsync(Name)) is { Phase: "asleep", Replicas: [] }, "the endpoint to sleep");
                var sent = TimeProvider.System.GetUtcNow();
                var first = (await StreamedChat.FirstWordAsync(http, Chat, Stopwatch.GetTimestamp())).TotalSeconds;
                var parts = await PartsAsync(api, sent);
                Say($"round {round}{(round == 0 ? " (not counted)" : "")}: first token after {first:N2} s; {parts}");
                if (round > 0)
                    took.Add(first);
            }
            return Row("0 → 1 with the demo's model: a chat to an endpoint that sleeps, to its first token", "under 2 s", took.Max() < 2,
                $"median {Median(took):N2} s, slowest {took.Max():N2} s of {took.Count}");
        }
        finally
        {
            // A server that ends leaves its tasks running on purpose.
            await api.StopEndpointAsync(Name);
            await UntilAsync(async () => !await api.HasEndpointsAsync(), "the endpoint to end");
        }
    }

    private static async Task ServeAsync(ServerProcess server)
    {
        string[] command = ["serve", BenchModels.Tiny(), "--name", Name, "--min", "0", "--max", "1", "--window", "6", "--scale-down-delay", "0", "--scale-to-zero-delay", "1"];
        var start = new ProcessStartInfo(CairnProgram.Path, command) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["CAIRN_HOME"] = server.Home;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'cairn serve' ended with {process.ExitCode}: {await output}{await errors}");
    }

    /// <summary>Where the time went, by the server's clock, which is this one.</summary>
    private static async Task<string> PartsAsync(ServerApi api, DateTimeOffset sent)
    {
        var replica = (await api.EndpointAsync(Name)).Replicas![0];
        var job = await api.JobAsync(replica.Job);
        string After(DateTimeOffset? at) => at is null ? "?" : (at.Value - sent).TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);
        return $"replica wanted after {After(replica.StartedAt)}, job submitted {After(job.SubmittedAt)}, its process runs {After(job.StartedAt)}, ready {After(replica.ReadyAt)}";
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(100))
        {
            if (Stopwatch.GetElapsedTime(began) > s_patience)
                throw new TimeoutException($"waited {s_patience.TotalSeconds:0} s for {what}");
        }
    }
}
