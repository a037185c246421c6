using System.Diagnostics;
using System.Threading.Channels;
using Cairn.State.Engines;

namespace Cairn.State;

/// <summary>
/// All rows of Cairn: a SQLite file that one server owns, or a PostgreSQL database that many share, with the same SQL over both.
/// </summary>
/// <remarks>
/// The common SQL. Types: TEXT, BIGINT, DOUBLE PRECISION, BOOLEAN (write TRUE and FALSE); JSON is TEXT, read with <c>-&gt;&gt; 'name'</c>;
/// ids are UUIDs as TEXT, times are BIGINT microseconds, money is BIGINT micro-dollars; no blobs in rows (see <see cref="IBlobs"/>).
/// Statements: SELECT with joins, CTEs, window functions and LIMIT … OFFSET; INSERT … ON CONFLICT (columns) DO UPDATE / DO NOTHING;
/// UPDATE … FROM; RETURNING; CASE, COALESCE, EXISTS, <c>||</c>. Parameters are <c>@name</c>. Not common, so not used: AUTOINCREMENT and
/// SERIAL, INSERT OR REPLACE, FOR UPDATE, LIMIT in UPDATE or DELETE, arrays, date functions, <c>LIKE</c> where case matters,
/// <c>min</c>/<c>max</c> of two values (write CASE), a bare column beside an aggregate. PostgreSQL must sort text by bytes as SQLite does:
/// make its database with the collation C.
/// A statement that fails inside a work dooms the work: do not catch it and go on; ask with ON CONFLICT instead.
/// </remarks>
public sealed class Store : IAsyncDisposable
{
    private readonly Engine _engine;
    private readonly Channel<Work> _queue;
    private readonly Writer[] _writers;
    private readonly ReaderPool _readers;

    private Store(Engine engine, StoreOptions options, TimeProvider time)
    {
        _engine = engine;
        Time = time;
        Signals = new Signals(time);
        Leases = new Leases(this);
        _readers = new ReaderPool(engine, options.Readers);
        _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(options.QueueBound) { SingleReader = engine.Writers == 1 });
        var settings = new WriterSettings(options.BatchSize, options.ConflictRetries, Signals, time);
        _writers = [.. Enumerable.Range(0, engine.Writers).Select(_ => new Writer(engine, _queue.Reader, settings))];
        engine.Listen(Signals, time);
    }

    public Signals Signals { get; }

    public Leases Leases { get; }

    internal TimeProvider Time { get; }

    internal int Writers => _writers.Length;

    /// <summary>A name for one holding of a lease by this server: says where to look, and is never used again.</summary>
    internal string NewHolder() => $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.CreateVersion7(Time.GetUtcNow()):N}";

    /// <summary>Opens the database, making it where missing, and brings its schema up to date.</summary>
    /// <exception cref="ArgumentException">The options or the numbers of the migrations are wrong.</exception>
    /// <exception cref="StoreException">
    /// The database cannot be opened, another server owns it, or its schema is not what it was left as.
    /// </exception>
    public static async Task<Store> OpenAsync(
        StoreOptions options, IReadOnlyList<Migration> migrations, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = options.Validate();
        if (errors.Count > 0)
            throw new ArgumentException(string.Join(" ", errors), nameof(options));
        // Opening blocks on the disk or the network; the caller's thread need not.
        return await Task.Run(() => Open(options, migrations, time), cancellationToken);
    }

    /// <summary>
    /// Runs a work alone among all writers, and completes once it is durable. A work that throws changes nothing, and its exception comes
    /// out here. It runs on the store's thread: it must be short, do nothing but rows, and have no effect outside its session, for after a
    /// conflict it runs again.
    /// </summary>
    /// <param name="work">What to do.</param>
    /// <param name="cancellationToken">Honoured until the work starts; then it runs to its end.</param>
    /// <exception cref="StoreException">
    /// The database refused; <see cref="StoreException.IsTransient"/> says whether to try again.
    /// </exception>
    public async Task<T> WriteAsync<T>(Func<WriteSession, T> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var item = new Work<T>(work, cancellationToken) { EnqueuedAt = Stopwatch.GetTimestamp() };
        try
        {
            if (!_queue.Writer.TryWrite(item))
                await _queue.Writer.WriteAsync(item, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new StoreException(StoreFault.Closed, "The store is closed.");
        }
        return await item.Task;
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Action<WriteSession> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        return WriteAsync(session =>
        {
            work(session);
            return true;
        }, cancellationToken);
    }

    /// <summary>Reads one state of all rows; neither waits for writers nor holds them up.</summary>
    public Task<T> ReadAsync<T>(Func<ReadSession, T> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _readers.ReadAsync(work, cancellationToken);
    }

    /// <summary>Takes no more works, finishes those taken, and closes the database.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_queue.Writer.TryComplete())
            return;
        await Task.Run(() => Array.ForEach(_writers, writer => writer.Join()));
        await _readers.DisposeAsync();
        _engine.Dispose();
    }

    private static Store Open(StoreOptions options, IReadOnlyList<Migration> migrations, TimeProvider time)
    {
        Engine engine = options.IsPostgres ? new PostgresEngine(options) : new SqliteEngine(options);
        try
        {
            using (var link = new Link(engine, engine.Connect(forWriting: true)))
                Migrator.Migrate(link, migrations, time);
            return new Store(engine, options, time);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }
}
