using Npgsql;

namespace Cairn.State.Engines;

/// <summary>
/// Hears other servers' signals over LISTEN/NOTIFY. After a broken connection it wakes everyone, for it may have missed some.
/// </summary>
internal sealed class PostgresListener : IDisposable
{
    public const string Channel = "cairn";

    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _tried = new();
    private readonly Task _loop;

    public PostgresListener(string connectionString, string serverId, Signals signals, TimeProvider time)
    {
        _loop = Task.Run(() => LoopAsync(connectionString, serverId, signals, time, _closing.Token));
        // Whoever opened the store hears from now on, or is woken when the connection comes about.
        _tried.Task.GetAwaiter().GetResult();
    }

    /// <summary>A note is the sender, the signal's name and its payload, a line each; a signal without payload has no third line.</summary>
    public static string Write(string serverId, RaisedSignal signal) =>
        signal.Payload is null ? $"{serverId}\n{signal.Name}" : $"{serverId}\n{signal.Name}\n{signal.Payload}";

    public void Dispose()
    {
        _closing.Cancel();
        _loop.GetAwaiter().GetResult();
        _closing.Dispose();
    }

    private async Task LoopAsync(
        string connectionString, string serverId, Signals signals, TimeProvider time, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync(cancellationToken);
                connection.Notification += (_, note) => Raise(signals, serverId, note.Payload);
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
                    await listen.ExecuteNonQueryAsync(cancellationToken);
                if (!_tried.TrySetResult())
                    signals.RaiseAll();
                while (true)
                    await connection.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // Whatever it was, it is tried again; those who wait look on their timers meanwhile.
                _tried.TrySetResult();
                await Task.Delay(s_retry, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static void Raise(Signals signals, string serverId, string note)
    {
        var parts = note.Split('\n', 3);
        if (parts.Length >= 2 && parts[0] != serverId)
            signals.Raise(parts[1], parts.Length == 3 ? parts[2] : null);
    }
}
