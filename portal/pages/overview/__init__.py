"""The overview: is it on, is it healthy, does it need me?"""
