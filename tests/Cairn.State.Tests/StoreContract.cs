namespace Cairn.State.Tests;

/// <summary>A test class that runs over both engines: each engine derives from it.</summary>
public abstract class StoreContract : IDisposable
{
    private readonly Lazy<Database> _database;

    protected StoreContract(Func<Database> database)
    {
        _database = new Lazy<Database>(database);
    }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected Database Database => _database.Value;

    public void Dispose()
    {
        if (_database.IsValueCreated)
            _database.Value.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static Task AddThing(Store store, string id, long size = 0) => store.WriteAsync(
        s => s.Execute("INSERT INTO things (id, name, size) VALUES (@id, 'n', @size)", new { id, size }), Ct);

    protected static Task<long> CountThings(Store store) => store.ReadAsync(s => s.Scalar<long>("SELECT count(*) FROM things"), Ct);

    /// <summary>Occupies every writer of a store until the gate opens. One at a time, for one writer could take two works together.</summary>
    protected static async Task<Task> Occupy(Store store, ManualResetEventSlim gate)
    {
        var works = new List<Task>();
        for (var i = 0; i < store.Writers; i++)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            works.Add(store.WriteAsync(_ =>
            {
                started.TrySetResult();
                gate.Wait(TimeSpan.FromMinutes(2));
            }, Ct));
            await started.Task;
        }
        return Task.WhenAll(works);
    }
}
