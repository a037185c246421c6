using Microsoft.Extensions.Hosting;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>Leaves signals to the program that started the engine, which stops it in its own order.</summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
