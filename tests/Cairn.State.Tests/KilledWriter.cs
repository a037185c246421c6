using System.Diagnostics;

namespace Cairn.State.Tests;

/// <summary>This program started again, as a server that writes rows and says each that was acknowledged, until it is killed.</summary>
internal static class KilledWriter
{
    private const string Variable = "CAIRN_STATE_TEST_WRITER";

    /// <summary>A prefix for the ids of the rows, and the database's address; null where this process is the tests.</summary>
    public static string? Asked => Environment.GetEnvironmentVariable(Variable);

    /// <summary>Lets a writer acknowledge some hundred rows, does <paramref name="before"/>, and kills it with no warning.</summary>
    public static async Task<HashSet<string>> RunAndKillAsync(string address, string prefix, Action before)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Variable] = $"{prefix}|{address}";
        using var writer = Process.Start(start)!;
        var acknowledged = new HashSet<string>();
        try
        {
            while (acknowledged.Count < 400 && await writer.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
                acknowledged.Add(line);
            before();
        }
        finally
        {
            writer.Kill();
        }
        // What it said before it died counts, except a last line that it did not finish.
        var rest = (await writer.StandardOutput.ReadToEndAsync(cancellationToken)).Split('\n');
        acknowledged.UnionWith(rest.SkipLast(1));
        await writer.WaitForExitAsync(cancellationToken);
        Assert.True(acknowledged.Count >= 400, "The writer ended before it was killed.");
        return acknowledged;
    }

    public static async Task WriteForeverAsync(string asked)
    {
        var parts = asked.Split('|', 2);
        await using var store =
            await Store.OpenAsync(new StoreOptions { Database = parts[1] }, Database.Schema, TimeProvider.System, default);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async lane =>
        {
            for (var i = 0; ; i++)
            {
                var id = $"{parts[0]}-{lane}-{i}";
                await store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES (@id, 'n', 0)", new { id }), default);
                Console.Out.WriteLine(id);
            }
        }));
    }
}
