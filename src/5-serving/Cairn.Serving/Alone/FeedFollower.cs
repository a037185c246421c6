using System.Buffers;
using System.IO.Pipelines;
using System.Security.Authentication;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Serving.Gateways;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Alone;

/// <summary>
/// Follows the server's feed for as long as the gateway runs. Where it breaks or falls silent, the server counts as away and is asked again after a pause that grows to
/// 15 s, each shortened by chance so that many gateways do not come back at once. A server that refuses the key ends the gateway.
/// </summary>
internal sealed partial class FeedFollower(
    ServerLink link, AloneFiles files, AloneOptions options, IHostApplicationLifetime host, ILogger<FeedFollower> logger, TimeProvider time) : BackgroundService
{
    private const int MostLineBytes = 256 << 20;
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_silence = GatewayFeed.Pulse * 4;
    private readonly Random _chance = new();
    private bool _isTold;

    /// <summary>A line came. Handlers are short.</summary>
    public event Action<FeedLine>? Told;

    /// <summary>The feed is open, or is not any more. Handlers are short.</summary>
    public event Action<bool>? Changed;

    /// <summary>The server refused the key for good. Handlers are short.</summary>
    public event Action? Refused;

    /// <summary>The words in which it did.</summary>
    public string? Refusal { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var pause = s_firstPause;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await FollowAsync(() => pause = s_firstPause, stoppingToken);
                    Cut("it ended");
                }
                catch (Exception failed) when (!stoppingToken.IsCancellationRequested
                    && failed is HttpRequestException or IOException or JsonException or OperationCanceledException)
                {
                    Cut(failed switch
                    {
                        OperationCanceledException => "it is silent",
                        { InnerException: AuthenticationException untrusted } => $"its certificate is not trusted here: {untrusted.Message}",
                        _ => failed.Message,
                    });
                }
                await Task.Delay(pause * (0.5 + _chance.NextDouble() / 2), time, stoppingToken);
                pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
        catch (ServerRefusedException refused)
        {
            Refusal = refused.Message;
            link.IsAway = true;
            Refused?.Invoke();
            host.StopApplication();
        }
        catch (Exception defect)
        {
            LogDeath(logger, defect);
            host.StopApplication();
        }
    }

    private async Task FollowAsync(Action onFirst, CancellationToken stoppingToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        silence.CancelAfter(s_silence);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"feed?gateway={files.Id}&name={Uri.EscapeDataString(options.Name)}");
        using var response = await link.OpenAsync(request, silence.Token);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"it answers {(int)response.StatusCode}");
        var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(silence.Token), new StreamPipeReaderOptions(bufferSize: 64 << 10));
        while (true)
        {
            var read = await reader.ReadAsync(silence.Token);
            silence.CancelAfter(s_silence);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                Take(rest.Slice(0, end));
                rest = rest.Slice(rest.GetPosition(1, end));
                onFirst();
            }
            if (rest.Length > MostLineBytes)
                throw new IOException($"a line has more than {MostLineBytes:N0} bytes");
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                return;
        }
    }

    private void Take(ReadOnlySequence<byte> text)
    {
        if (!text.IsEmpty)
        {
            var json = new Utf8JsonReader(text);
            if (JsonSerializer.Deserialize<FeedLine>(ref json, ApiJson.Compact) is { } line)
                Told?.Invoke(line);
        }
        Set(away: false);
    }

    /// <summary>Told once, and not for every try that follows.</summary>
    private void Cut(string reason)
    {
        if (!link.IsAway)
            LogEnded(logger, reason);
        else if (!_isTold)
            LogNotThere(logger, options.Server, reason);
        else
            LogStillAway(logger, reason);
        _isTold = true;
        Set(away: true);
    }

    private void Set(bool away)
    {
        if (link.IsAway == away)
            return;
        link.IsAway = away;
        if (!away)
            LogCame(logger, options.Server);
        Changed?.Invoke(away);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The server {Server} is there")]
    private static partial void LogCame(ILogger logger, Uri server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The server's feed is cut: {Reason}. Serving goes on from the last snapshot")]
    private static partial void LogEnded(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The server {Server} cannot be followed yet: {Reason}. It is asked again until it can")]
    private static partial void LogNotThere(ILogger logger, Uri server, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The server is still away: {Reason}")]
    private static partial void LogStillAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Following the server died of a defect; the gateway stops")]
    private static partial void LogDeath(ILogger logger, Exception error);
}
