using System.Net.Http.Json;
using Cairn.Contracts.Api;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateways;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Alone;

/// <summary>Tells the server how a request was dealt with here, when somebody asks the server.</summary>
internal sealed partial class Explainer(InferenceGateway gateway, ServerLink link, AloneFiles files, IHostApplicationLifetime host, ILogger<Explainer> logger)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Answers in its own time; whoever asked gives up by themselves where the answer is lost.</summary>
    public void Asked(string id) => _ = TellAsync(id);

    private async Task TellAsync(string id)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(host.ApplicationStopping);
        patience.CancelAfter(s_patience);
        try
        {
            var known = gateway.Decisions.Find(id);
            var told = new ExplanationReport { Gateway = files.Id, Id = id, Project = known?.Project, Request = known is null ? null : CallExplanation.Of(known) };
            using var request = new HttpRequestMessage(HttpMethod.Post, "explanations") { Content = JsonContent.Create(told, options: ApiJson.Compact) };
            using var response = await link.OpenAsync(request, patience.Token);
            response.EnsureSuccessStatusCode();
        }
        catch (Exception failed) when (failed is HttpRequestException or ServerRefusedException or OperationCanceledException or IOException)
        {
            LogUntold(logger, id, failed.Message);
        }
        catch (Exception defect)
        {
            LogDeath(logger, defect);
            host.StopApplication();
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "How {Request} was dealt with did not reach the server: {Reason}")]
    private static partial void LogUntold(ILogger logger, string request, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Explaining a request died of a defect; the gateway stops")]
    private static partial void LogDeath(ILogger logger, Exception error);
}
