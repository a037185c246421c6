using System.Diagnostics;
using System.Globalization;
using Cairn.State;

namespace Cairn.Bench.State;

/// <summary>
/// Loads a store as a busy control plane does, and prints what it kept up with. Each work is one step of a reconciler: a fence checked,
/// a row read, a row changed, an event inserted; every work that counts is durable.
/// </summary>
internal static class StoreLoad
{
    private const int Rows = 10_000;
    private const int StatementsPerWork = 4;

    private static readonly Migration[] s_schema =
    [
        new("bench", 1,
            """
            CREATE TABLE steps (id BIGINT PRIMARY KEY, phase TEXT NOT NULL, cursor_at BIGINT NOT NULL, changed_at BIGINT NOT NULL);
            CREATE TABLE events (id TEXT PRIMARY KEY, step_id BIGINT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, at BIGINT NOT NULL)
            """),
    ];

    /// <summary>Arguments: the database (default: a SQLite file in a temporary folder) and the seconds of each load (default 5).</summary>
    public static int Run(string[] args)
    {
        var seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
        if (args.Length > 0)
        {
            RunAsync(args[0], TimeSpan.FromSeconds(seconds)).GetAwaiter().GetResult();
            return 0;
        }
        var folder = Directory.CreateTempSubdirectory("cairn-bench-").FullName;
        try
        {
            RunAsync(Path.Combine(folder, "rows.db"), TimeSpan.FromSeconds(seconds)).GetAwaiter().GetResult();
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string database, TimeSpan time)
    {
        await using var store = await Store.OpenAsync(new StoreOptions { Database = database }, s_schema, TimeProvider.System, default);
        await store.WriteAsync(s =>
        {
            s.Execute("DELETE FROM events");
            s.Execute("DELETE FROM steps");
            s.ExecuteMany("INSERT INTO steps (id, phase, cursor_at, changed_at) VALUES (@Id, 'waiting', 0, 0)",
                [.. Enumerable.Range(0, Rows).Select(i => new { Id = i })]);
        }, default);
        var fence = await store.Leases.AcquireAsync("bench", Guid.CreateVersion7().ToString(), TimeSpan.FromHours(1), default)
            ?? throw new InvalidOperationException("Another bench holds the lease of this database.");

        foreach (var callers in new[] { 1, 32, 256 })
            await LoadAsync($"write, {callers} callers", callers, time, StatementsPerWork, (i, caller) =>
                store.WriteAsync(s => Step(s, fence, i, caller), default));
        foreach (var callers in new[] { 1, 32 })
            await LoadAsync($"read, {callers} callers", callers, time, 1, (i, _) => store.ReadAsync(s => ReadStep(s, i % Rows), default));
        await store.Leases.ReleaseAsync(fence, default);
    }

    private static void Step(WriteSession session, Fence fence, int i, int caller)
    {
        session.RequireFence(fence);
        var step = ReadStep(session, ((i * 7919) + caller) % Rows) ?? throw new InvalidOperationException("A step is missing.");
        session.Execute("UPDATE steps SET phase = 'running', cursor_at = @Cursor, changed_at = @Now WHERE id = @Id",
            new { step.Id, Cursor = step.CursorAt + 1, Now = session.NowMicros });
        session.Execute("INSERT INTO events (id, step_id, kind, body, at) VALUES (@Id, @StepId, 'moved', @Body, @Now)",
            new { Id = Guid.CreateVersion7(), StepId = step.Id, Body = """{"from":"waiting","to":"running"}""", Now = session.NowMicros });
    }

    private static StepRow? ReadStep(ReadSession session, int id) =>
        session.QuerySingleOrDefault<StepRow>("SELECT id, phase, cursor_at, changed_at FROM steps WHERE id = @id", new { id });

    private static async Task LoadAsync(string name, int callers, TimeSpan time, int statements, Func<int, int, Task> one)
    {
        var latencies = new List<double>[callers];
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var mine = latencies[caller] = [];
            for (var i = 0; Stopwatch.GetElapsedTime(start) < time; i++)
            {
                var asked = Stopwatch.GetTimestamp();
                await one(i, caller);
                mine.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
        })));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var cores = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds / elapsed;
        var all = latencies.SelectMany(l => l).Order().ToList();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-20} {all.Count / elapsed,10:n0} works/s {all.Count * statements / elapsed,10:n0} statements/s")
            + string.Create(CultureInfo.InvariantCulture,
            $"   p50 {all[all.Count / 2],7:0.00} ms   p99 {all[all.Count * 99 / 100],7:0.00} ms   {cores:0.0} cores"));
    }

    private sealed record StepRow(long Id, string Phase, long CursorAt, long ChangedAt);
}
