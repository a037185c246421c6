namespace Cairn.State;

/// <summary>Where the rows live, and the limits of the store.</summary>
public sealed class StoreOptions
{
    /// <summary>
    /// The path of a SQLite file (made where missing, with its folder), or a PostgreSQL connection:
    /// <c>postgres://user:password@host:5432/name</c> or <c>Host=…;Username=…;Database=…</c>. One server alone may have a SQLite file open;
    /// servers share a PostgreSQL database.
    /// </summary>
    public required string Database { get; init; }

    /// <summary>
    /// The most works committed together, 1 to 10,000; default 512. More makes each disk flush serve more works; a failed commit fails
    /// them all, and each waits for the slowest.
    /// </summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>The most works waiting to be written, 1 to 1,000,000; default 8,192. Beyond it <c>WriteAsync</c> waits for room.</summary>
    public int QueueBound { get; init; } = 8_192;

    /// <summary>Connections for reading, 1 to 256; default 8. Beyond it <c>ReadAsync</c> waits for one to be free.</summary>
    public int Readers { get; init; } = 8;

    /// <summary>
    /// Connections for writing to PostgreSQL, 1 to 64; default 2. SQLite has one. More hides a slow network, and makes more transactions
    /// conflict and run again.
    /// </summary>
    public int PostgresWriters { get; init; } = 2;

    /// <summary>
    /// How long a statement may wait for a lock or a reply before it fails as <see cref="StoreFault.Busy"/>; 1 s to 10 min; default 30 s.
    /// </summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often a batch that conflicted with another server's is run again, 0 to 1,000; default 50, which with the pauses between takes
    /// some 11 s. Fewer gives up sooner, as <see cref="StoreFault.Conflict"/>.
    /// </summary>
    public int ConflictRetries { get; init; } = 50;

    internal bool IsPostgres => PostgresAddress.Recognises(Database);

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(Database))
            errors.Add("Database is empty; give the path of a SQLite file or a postgres:// address.");
        Check(nameof(BatchSize), BatchSize, 1, 10_000);
        Check(nameof(QueueBound), QueueBound, 1, 1_000_000);
        Check(nameof(Readers), Readers, 1, 256);
        Check(nameof(PostgresWriters), PostgresWriters, 1, 64);
        Check(nameof(ConflictRetries), ConflictRetries, 0, 1_000);
        if (StatementTimeout < TimeSpan.FromSeconds(1) || StatementTimeout > TimeSpan.FromMinutes(10))
            errors.Add($"StatementTimeout is {StatementTimeout}; expected 1 s to 10 min.");
        return errors;

        void Check(string name, int value, int least, int most)
        {
            if (value < least || value > most)
                errors.Add($"{name} is {value}; expected {least} to {most}.");
        }
    }
}
