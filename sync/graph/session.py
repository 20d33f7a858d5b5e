"""How every request to Microsoft leaves: by the cloud's proxy, under the cloud's authorities."""

import requests

from sync.graph.cloud import Cloud


class Session(requests.Session):
    """REQUESTS_CA_BUNDLE and HTTPS_PROXY of the environment would win over `verify` and `proxies`: they have no say."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = cloud.ca_file or True
        if cloud.proxy:
            self.proxies = {"https": cloud.proxy}
