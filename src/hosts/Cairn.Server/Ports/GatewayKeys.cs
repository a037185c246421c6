using Cairn.Contracts.Ids;
using Cairn.Server.Identity;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Server.Ports;

/// <summary>Every key but a viewer's may call its project's models, within its limits.</summary>
internal sealed class GatewayKeys(Keyring keyring) : IGatewayKeys
{
    public event Action? Changed
    {
        add => keyring.Changed += value;
        remove => keyring.Changed -= value;
    }

    public long Version => keyring.Version;

    public bool Lives(KeyId key) => keyring.Lives(key);

    public IReadOnlyCollection<GatewayKey> All() =>
    [
        .. keyring.Keys.Where(key => key.MayCallModels()).Select(key => new GatewayKey
        {
            Id = key.Id, Name = key.Name, SecretHash = Convert.FromHexString(key.SecretHash), Project = key.ProjectId, ExpiresAt = key.ExpiresAt,
            Parent = key.ParentId, Models = key.Models.Value, Blocked = key.Blocked || key.Revoked, Limits = key.Limits(),
        }),
    ];
}
