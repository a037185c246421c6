using Microsoft.Extensions.Hosting;

namespace Cairn.Server.Hosting;

/// <summary>
/// Signals belong to the program around the server: two who listen race for who was asked to stop, and the loser reports a failure.
/// </summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
