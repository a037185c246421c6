using Cairn.Contracts.Ids;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Files;
using Cairn.Serving.Gateway.Pools;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;

namespace Cairn.Serving.Gateways;

/// <summary>
/// Tells one gateway what this server's own gateway serves from, whenever that changes, and every few seconds that the server is there. Ends when the gateway leaves, the
/// server stops, the same gateway follows anew, or its key may be used no more.
/// </summary>
internal sealed class GatewayFeed(GatewayState state, GatewayBoard board, IGatewayKeys keys, FilesOptions files, IHostApplicationLifetime host, TimeProvider time)
{
    /// <summary>An empty line comes this often at least.</summary>
    public static readonly TimeSpan Pulse = TimeSpan.FromSeconds(3);

    /// <summary>Changes that follow one another faster are told as one.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(50);

    public async Task TellAsync(HttpContext context, Guid gateway, KeyId key)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, host.ApplicationStopping);
        context.Response.ContentType = "application/x-ndjson";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var seat = board.Sit(gateway);
        try
        {
            board.Count();
            await TellAsync(context.Response, seat, key, over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The gateway left, or the server stops.
        }
        finally
        {
            board.Leave(gateway, seat);
            board.Count();
        }
    }

    private async Task TellAsync(HttpResponse response, GatewaySeat seat, KeyId key, CancellationToken over)
    {
        var told = 0L;
        while (keys.Lives(key) && !seat.Lines.Reader.Completion.IsCompleted)
        {
            var changed = state.Changed;
            if (state.Snapshot is { } snapshot && snapshot.Version > told)
            {
                told = snapshot.Version;
                await response.Body.WriteAsync(new FeedLine { Snapshot = SnapshotFile.Of(snapshot, state.Funds.IsLimited, files.MostBytes) }.ToBytes(), over);
            }
            while (seat.Lines.Reader.TryRead(out var line))
                await response.Body.WriteAsync(line.ToBytes(), over);
            await response.Body.WriteAsync("\n"u8.ToArray(), over);
            await response.Body.FlushAsync(over);
            await Task.Delay(s_rest, time, over);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(over);
            await Task.WhenAny(changed, seat.Lines.Reader.WaitToReadAsync(either.Token).AsTask(), Task.Delay(Pulse, time, either.Token));
            await either.CancelAsync();
        }
    }
}
